import { z } from '@hono/zod-openapi';
import type { LabelScore } from '../../../../tasks/prediction.ts';
import type { Service } from '../../../../use/serving/service/service.ts';
import { Refused } from '../failure.ts';
import type { ServeApp } from '../request-scope.ts';
import { assertAtMost, EMBEDDINGS_ERRORS, jsonAnswer, postRoute } from './route-parts.ts';
import { IGNORED, UNSUPPORTED } from './writing-request.ts';

/** Cohere's maximum. */
const MAX_DOCUMENTS = 1000;

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

/** Adds the routes for reranking. They need a model that scores pairs. */
export function addRerank(app: ServeApp, service: Service): void {
  for (const path of ['/v1/rerank', '/v2/rerank'] as const)
    app.openapi(cohereRoute(path), async (c) => {
      const { model, query, documents, top_n } = c.req.valid('json');
      assertAtMost(MAX_DOCUMENTS, documents, 'documents');
      const scope = c.get('scope');
      scope.note(model, documents.length);
      const inputs = documents.map((text) => ({ text: query, pair: text }));
      const answers = await service.predict({ model, inputs, raw: true, truncate: true }, scope.signal);
      const results = answers
        .map((answer, index) => ({ index, score: onlyScore(answer as LabelScore[]) }))
        .sort((a, b) => b.score - a.score || a.index - b.index)
        .slice(0, top_n ?? documents.length)
        .map(({ index, score }) => ({ index, relevance_score: 1 / (1 + Math.exp(-score)) }));
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
