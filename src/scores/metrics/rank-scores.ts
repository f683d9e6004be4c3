import { mean } from '../../support/numbers.ts';
import { discountedGain, hitScores } from './retrieval-scores.ts';
import type { ScoreName } from './scores.ts';

/** Names of the scores of a query's texts. */
export const RANKED = [
  'ndcg@10',
  'mrr@10',
  'map',
  'recall@1',
  'recall@5',
  'recall@10',
  'accuracy@1',
] as const satisfies readonly ScoreName[];

/**
 * Scores the order of a query's texts, as `CrossEncoderRerankingEvaluator` of sentence-transformers and scikit-learn: nDCG
 * has linear gains and is the mean over all orders of texts with equal scores. Average precision takes such texts together.
 * In the other scores, the later one comes first.
 *
 * @param grades how well each text answers the query
 * @param relevant whether it does; at least one does
 */
export function rankScores(
  scores: ArrayLike<number>,
  grades: readonly number[],
  relevant: readonly boolean[],
): Record<(typeof RANKED)[number], number> {
  const order = [...grades.keys()].sort((a, b) => scores[b]! - scores[a]! || b - a);
  const hits = order.map((text) => relevant[text]!);
  const count = hits.filter(Boolean).length;
  const gains: number[] = [];
  let [found, precision] = [0, 0];
  for (let start = 0; start < order.length; start = gains.length) {
    const equal = order.filter((text) => scores[text] === scores[order[start]!]);
    const gain = mean(equal.map((text) => grades[text]!));
    for (const _ of equal) gains.push(gain);
    const more = equal.filter((text) => relevant[text]).length;
    found += more;
    precision += (more * found) / gains.length;
  }
  return {
    'ndcg@10': discountedGain(gains) / discountedGain([...grades].sort((a, b) => b - a)),
    map: precision / count,
    ...hitScores(hits, count),
  };
}
