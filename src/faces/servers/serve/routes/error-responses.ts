import { z } from '@hono/zod-openapi';

const FORMS = {
  openAi: z
    .object({
      error: z.object({
        message: z.string(),
        type: z.string(),
        param: z.string().nullable().describe('The invalid key of the body'),
        code: z.string().nullable(),
      }),
    })
    .openapi('OpenAIError'),
  embeddings: z.object({ error: z.string(), error_type: z.string() }).openapi('Error'),
};

const MEANINGS = {
  400: 'The request is invalid; the message names the place',
  401: 'The API key is missing or wrong',
  404: 'Not found',
  413: 'The request is too large',
  415: 'The Content-Type is not supported',
  422: 'The body is valid JSON with invalid values; the message names the place',
  503: 'The server is overloaded or stopping; retry after Retry-After',
  504: 'The time limit was exceeded',
};

/** The error responses of a route, for the API description. */
export function errorResponses<Status extends keyof typeof MEANINGS>(
  form: keyof typeof FORMS,
  ...statuses: Status[]
) {
  const content = { 'application/json': { schema: FORMS[form] } };
  return Object.fromEntries(
    statuses.map((status) => [status, { description: MEANINGS[status], content }]),
  ) as Record<Status, { description: string; content: typeof content }>;
}
