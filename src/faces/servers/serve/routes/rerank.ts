import { z } from '@hono/zod-openapi';
import type { LabelScore } from '../../../../tasks/prediction.ts';
import type { Service } from '../../../../use/serving/service/service.ts';
import { Refused } from '../failure.ts';
import type { RequestScope, ServeApp } from '../request-scope.ts';
import { assertAtMost, EMBEDDINGS_ERRORS, jsonAnswer, onlyModel, postRoute } from './route-parts.ts';
import { IGNORED, UNSUPPORTED } from './writing-request.ts';

/** Maximum texts per request, as in text-embeddings-inference. */
const MAX_TEXTS = 32;
/** Cohere's maximum. */
const MAX_DOCUMENTS = 1000;

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

const route = postRoute(
  '/rerank',
  'Sort texts by their score for a query, best first, with a cross-encoder',
  request,
  { ...jsonAnswer('All texts, best first', z.array(rank)), ...EMBEDDINGS_ERRORS },
);

const cohereRequest = z
  .strictObject({
    model: z.string(),
    query: z.string(),
    documents: z.array(z.string(), 'expected a list of strings').min(1),
    top_n: z.int().min(1).nullish().describe('Number of documents to return (default: all)'),
    return_documents: z.literal(false, UNSUPPORTED).nullish(),
    max_tokens_per_doc: z.null(UNSUPPORTED).optional(),
    max_chunks_per_doc: z.null(UNSUPPORTED).optional(),
    priority: IGNORED,
  })
  .openapi('CohereRerankRequest');
const ranked = z.object({ index: z.int(), relevance_score: z.number() });
const cohereRanks = z
  .object({ id: z.string(), results: z.array(ranked), meta: z.object({}) })
  .openapi('CohereRanks');

/** The route in Cohere's format. Clients of version 1 and of Jina use the first path. */
const cohereRoute = (path: '/v1/rerank' | '/v2/rerank') =>
  postRoute(path, "Sort documents by their score for a query, in Cohere's format", cohereRequest, {
    ...jsonAnswer('The best documents, best first', cohereRanks),
    ...EMBEDDINGS_ERRORS,
  });

/**
 * Adds the routes for reranking, in the formats of text-embeddings-inference and of Cohere. They need a model that scores
 * pairs.
 */
export function addRerank(app: ServeApp, service: Service): void {
  const ranksOf = async (
    { model, query, texts, truncate }: { model: string; query: string; texts: string[]; truncate: boolean },
    scope: RequestScope,
  ) => {
    scope.note(model, texts.length);
    const inputs = texts.map((text) => ({ text: query, pair: text }));
    const answers = await service.predict({ model, inputs, raw: true, truncate }, scope.signal);
    return answers
      .map((answer, index) => ({ index, score: onlyScore(answer as LabelScore[]) }))
      .sort((a, b) => b.score - a.score || a.index - b.index);
  };
  const share = (score: number) => 1 / (1 + Math.exp(-score));

  app.openapi(route, async (c) => {
    const { query, texts, model: named, raw_scores, return_text, truncate } = c.req.valid('json');
    assertAtMost(MAX_TEXTS, texts, 'texts');
    const model = named ?? (await onlyModel(service, 'answers'));
    const ranks = await ranksOf({ model, query, texts, truncate }, c.get('scope'));
    return c.json(
      ranks.map(({ index, score }) => ({
        index,
        score: raw_scores ? score : share(score),
        text: return_text ? texts[index] : undefined,
      })),
      200,
    );
  });
  for (const path of ['/v1/rerank', '/v2/rerank'] as const)
    app.openapi(cohereRoute(path), async (c) => {
      const { model, query, documents: texts, top_n } = c.req.valid('json');
      assertAtMost(MAX_DOCUMENTS, texts, 'documents');
      const ranks = await ranksOf({ model, query, texts, truncate: true }, c.get('scope'));
      const results = ranks
        .slice(0, top_n ?? texts.length)
        .map(({ index, score }) => ({ index, relevance_score: share(score) }));
      return c.json({ id: crypto.randomUUID(), results, meta: {} }, 200);
    });
}

function onlyScore(answer: LabelScore[]): number {
  if (Array.isArray(answer) && answer.length === 1) return answer[0]!.score;
  throw new Refused(
    422,
    '`model` must be a cross-encoder with one score per pair, got a model with several labels. Use /predict.',
  );
}
