import { createRoute, z } from '@hono/zod-openapi';
import type { Service } from '../../../serving/service/service.ts';
import type { LabelScore } from '../../../tasks/served-answer.ts';
import type { ServeApp } from '../app-types.ts';
import { Refused } from '../failure.ts';
import { errorResponses } from './error-responses.ts';
import { onlyModel } from './only-model.ts';

/** Maximum texts per request, as in text-embeddings-inference. */
const MAX_TEXTS = 32;

const request = z
  .object({
    query: z.string(),
    texts: z.array(z.string()).min(1),
    model: z.string().optional().describe('Name of a cross-encoder; optional if only one is served'),
    raw_scores: z.boolean().default(false).describe("Return the model's scores without a sigmoid"),
    return_text: z.boolean().default(false),
    truncate: z.boolean().default(true),
  })
  .openapi('RerankRequest');
const rank = z.object({ index: z.int(), score: z.number(), text: z.string().optional() }).openapi('Rank');

const route = createRoute({
  method: 'post',
  path: '/rerank',
  summary: 'Sort texts by their score for a query, best first, with a cross-encoder',
  request: { body: { required: true, content: { 'application/json': { schema: request } } } },
  responses: {
    200: { description: 'All texts, best first', content: { 'application/json': { schema: z.array(rank) } } },
    ...errorResponses('embeddings', 400, 401, 404, 413, 415, 422, 503, 504),
  },
});

/** Adds the route for reranking, as in text-embeddings-inference. It needs a model that scores pairs. */
export function addRerank(app: ServeApp, service: Service): void {
  app.openapi(route, async (c) => {
    const { query, texts, model: named, raw_scores, return_text, truncate } = c.req.valid('json');
    if (texts.length > MAX_TEXTS)
      throw new Refused(
        413,
        `texts has ${texts.length} texts, more than the maximum of ${MAX_TEXTS}. Send several requests.`,
      );
    const { facts, signal } = c.get('scope');
    const model = named ?? (await onlyModel(service, 'answers'));
    Object.assign(facts, { model: model.slice(0, 200), rows: texts.length });
    const inputs = texts.map((text) => ({ text: query, pair: text }));
    const answers = await service.predict({ model, inputs, raw: true, truncate }, signal);
    const ranks = answers.map((answer, index) => {
      const score = onlyScore(answer as LabelScore[]);
      return {
        index,
        score: raw_scores ? score : 1 / (1 + Math.exp(-score)),
        ...(return_text && { text: texts[index] }),
      };
    });
    return c.json(
      ranks.sort((a, b) => b.score - a.score || a.index - b.index),
      200,
    );
  });
}

function onlyScore(answer: LabelScore[]): number {
  if (Array.isArray(answer) && answer.length === 1) return answer[0]!.score;
  throw new Refused(
    422,
    '`model` must be a cross-encoder with one score per pair, got a model with several labels. Use /predict.',
  );
}
