import { mean } from '../../support/numbers.ts';
import type { ScoreName } from './scores.ts';

/** How many ranked texts are scored, as in BEIR and MTEB. */
const [CUT, MAP_CUT] = [10, 100];
const RECALL_CUTS = [1, 5, 10] as const;

/** Names of the scores. */
export const RETRIEVAL = [
  'ndcg@10',
  'mrr@10',
  'map@100',
  'recall@1',
  'recall@5',
  'recall@10',
  'accuracy@1',
] as const;

type RetrievalScores = Record<(typeof RETRIEVAL)[number], number>;

/**
 * Scores of one query's ranked texts, as in sentence-transformers' `InformationRetrievalEvaluator`.
 *
 * @param hits for each text, the best first, whether it is relevant; at least 100 texts, or all
 * @param count number of relevant texts; at least one
 */
export function queryScores(hits: readonly boolean[], count: number): RetrievalScores {
  return {
    'ndcg@10': discountedGain(hits.map(Number)) / discountedGain(new Array(Math.min(CUT, count)).fill(1)),
    'map@100': averagePrecision(hits, count),
    ...hitScores(hits, count),
  };
}

/** The scores that depend on the first ten texts alone, without their gains. The parameters are those of {@link queryScores}. */
export function hitScores(hits: readonly boolean[], count: number) {
  const recall = (cut: number) => hits.slice(0, cut).filter(Boolean).length / count;
  const first = hits.slice(0, CUT).indexOf(true);
  return {
    'mrr@10': first < 0 ? 0 : 1 / (first + 1),
    'recall@1': recall(RECALL_CUTS[0]),
    'recall@5': recall(RECALL_CUTS[1]),
    'recall@10': recall(RECALL_CUTS[2]),
    'accuracy@1': Number(hits[0] ?? false),
  };
}

/** Discounted cumulative gain of the first texts. */
export function discountedGain(gains: readonly number[], cut = CUT): number {
  return gains.slice(0, cut).reduce((sum, gain, rank) => sum + gain / Math.log2(rank + 2), 0);
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
