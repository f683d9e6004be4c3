/** How many ranked texts are scored, as in BEIR and MTEB. */
const [CUT, MAP_CUT] = [10, 100];
const RECALL_CUTS = [1, 5, 10] as const;

export interface RetrievalScores {
  'ndcg@10': number;
  'mrr@10': number;
  'map@100': number;
  'recall@1': number;
  'recall@5': number;
  'recall@10': number;
  'accuracy@1': number;
}

/**
 * Scores of ranked texts, averaged over the queries, as in sentence-transformers'
 * `InformationRetrievalEvaluator`.
 *
 * @param ranked for each query, the indices of texts, the best first; at least 100, or all
 * @param relevant for each query, the indices of the relevant texts; at least one
 */
export function retrievalScores(
  ranked: readonly ArrayLike<number>[],
  relevant: readonly ReadonlySet<number>[],
): RetrievalScores {
  const mean = (score: (hits: readonly boolean[], count: number) => number) => {
    const scores = ranked.map((order, query) =>
      score(
        Array.from(order, (text) => relevant[query]!.has(text)),
        relevant[query]!.size,
      ),
    );
    return scores.reduce((a, b) => a + b, 0) / scores.length;
  };
  const recall = (cut: number) => mean((hits, count) => hits.slice(0, cut).filter(Boolean).length / count);
  return {
    'ndcg@10': mean((hits, count) => gain(hits) / gain(new Array(count).fill(true))),
    'mrr@10': mean((hits) => {
      const first = hits.slice(0, CUT).indexOf(true);
      return first < 0 ? 0 : 1 / (first + 1);
    }),
    'map@100': mean(averagePrecision),
    'recall@1': recall(RECALL_CUTS[0]),
    'recall@5': recall(RECALL_CUTS[1]),
    'recall@10': recall(RECALL_CUTS[2]),
    'accuracy@1': mean((hits) => Number(hits[0] ?? false)),
  };
}

/** Discounted cumulative gain of the first ten texts. */
function gain(hits: readonly boolean[]): number {
  return hits.slice(0, CUT).reduce((sum, hit, i) => sum + (hit ? 1 / Math.log2(i + 2) : 0), 0);
}

/**
 * Average precision over the first hundred texts: the sum of the precisions at each hit, divided by the
 * largest possible number of hits.
 */
function averagePrecision(hits: readonly boolean[], count: number): number {
  let [relevantSoFar, sum] = [0, 0];
  hits.slice(0, MAP_CUT).forEach((hit, i) => {
    if (hit) sum += ++relevantSoFar / (i + 1);
  });
  return sum / Math.min(MAP_CUT, count);
}
