import { createRoute, z } from '@hono/zod-openapi';

/** A route that writes text, in OpenAI's forms. */
export function writingRoute<Path extends string, Request extends z.ZodType>(
  path: Path,
  summary: string,
  request: Request,
) {
  return createRoute({
    method: 'post',
    path,
    summary,
    request: { body: { required: true, content: { 'application/json': { schema: request } } } },
    responses: {
      200: {
        description: 'As OpenAI has it, also streamed',
        content: { 'application/json': { schema: z.any() } },
      },
    },
  });
}
