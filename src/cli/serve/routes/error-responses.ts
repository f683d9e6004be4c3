import { z } from '@hono/zod-openapi';

const FORMS = {
  openAi: z
    .object({
      error: z.object({
        message: z.string(),
        type: z.string(),
        param: z.string().nullable().describe('The key of the body that is wrong'),
        code: z.string().nullable(),
      }),
    })
    .openapi('OpenAIError'),
  embeddings: z.object({ error: z.string(), error_type: z.string() }).openapi('Error'),
};

const MEANINGS = {
  400: 'What is asked is wrong; the message says where',
  401: 'The key of the server is asked for',
  404: 'What is named is not there',
  413: 'It is too much at a time',
  415: 'The body is not said to be JSON',
  422: 'The body is JSON, and wrong; the message says where',
  503: 'Too much waits, or the server is being stopped; come again after Retry-After',
  504: 'It took too long',
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
