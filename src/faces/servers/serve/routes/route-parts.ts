import { createRoute, type RouteConfig, z } from '@hono/zod-openapi';
import type { ServedCard, Service } from '../../../../use/serving/service/service.ts';
import { Refused } from '../failure.ts';

/** A route that reads JSON, for the API description. `others` are forms of its body besides JSON. */
export function postRoute<
  Path extends string,
  Schema extends z.ZodType,
  Responses extends RouteConfig['responses'],
>(path: Path, summary: string, schema: Schema, responses: Responses, others = {}) {
  const body = { required: true, content: { 'application/json': { schema }, ...others } };
  return createRoute({ method: 'post', path, summary, request: { body }, responses });
}

/** The response of a request that succeeds, for the API description. */
export function jsonAnswer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { 200: { description, content: { 'application/json': { schema } } } };
}

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

/** The errors of routes that compute, in OpenAI's format and in that of text-embeddings-inference. */
export const OPEN_AI_ERRORS = errorResponses('openAi', 400, 401, 404, 413, 415, 503, 504);
export const EMBEDDINGS_ERRORS = errorResponses('embeddings', 400, 401, 404, 413, 415, 422, 503, 504);

/** @throws Refused for a list with more texts than allowed */
export function assertAtMost(most: number, texts: readonly unknown[], where: string): void {
  if (texts.length <= most) return;
  throw new Refused(
    413,
    `${where} has ${texts.length} texts, more than the maximum of ${most}. Send several requests.`,
  );
}

/** The uses of a model, and the routes for each use. */
const KINDS = {
  answers: {
    has: ({ writes, embeds }: ServedCard) => !writes && !embeds,
    what: 'predicts',
    elsewhere: 'Use /v1/completions to generate text and /embed for embeddings.',
  },
  embeds: {
    has: ({ embeds }: ServedCard) => embeds,
    what: 'computes embeddings',
    elsewhere: 'Use /predict for predictions.',
  },
};

/**
 * Returns the name of the only model with one of these uses, for requests that name no model. Throws Refused
 * if no model or several models have this use.
 */
export async function onlyModel(service: Service, kind: keyof typeof KINDS): Promise<string> {
  const { has, what, elsewhere } = KINDS[kind];
  const names = (await service.models()).filter(has).map(({ name }) => name);
  if (names.length === 1) return names[0]!;
  if (names.length === 0) throw new Refused(422, `No served model ${what}. ${elsewhere}`);
  throw new Refused(422, `\`model\` is required: ${names.length} models are served. See /v1/models.`);
}
