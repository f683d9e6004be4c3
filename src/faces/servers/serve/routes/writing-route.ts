import { createRoute, type z } from '@hono/zod-openapi';
import { errorResponses } from './error-responses.ts';
import type { writtenSchemas } from './written-schemas.ts';

/** A route that generates text, in OpenAI's formats. */
export function writingRoute<Path extends string, Request extends z.ZodType>(
  path: Path,
  summary: string,
  request: Request,
  { whole, chunk }: ReturnType<typeof writtenSchemas>,
) {
  return createRoute({
    method: 'post',
    path,
    summary,
    request: { body: { required: true, content: { 'application/json': { schema: request } } } },
    responses: {
      200: {
        description:
          'The response of the OpenAI API; with `stream`, a stream of events that ends with [DONE]',
        content: { 'application/json': { schema: whole }, 'text/event-stream': { schema: chunk } },
      },
      ...errorResponses('openAi', 400, 401, 404, 413, 415, 503, 504),
    },
  });
}
