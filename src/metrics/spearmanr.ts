import { pearson } from './pearson.ts';

/**
 * Spearman's rank correlation, as `scipy.stats.spearmanr`. Ties get the average of their ranks. NaN if either
 * side is constant or contains a NaN.
 */
export function spearmanr(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return pearson(averageRanks(x), averageRanks(y));
}

/**
 * Ranks from 1; equal values get the average of their ranks. If any value is NaN, all ranks are NaN, because
 * the values then have no order.
 */
function averageRanks(values: ArrayLike<number>): Float64Array {
  const sorted = Float64Array.from(values).sort();
  const ranks = new Float64Array(values.length);
  if (Number.isNaN(sorted[sorted.length - 1])) return ranks.fill(Number.NaN);
  const rankOf = new Map<number, number>();
  for (let first = 0, end = 0; first < sorted.length; first = end) {
    while (end < sorted.length && sorted[end] === sorted[first]) end++;
    rankOf.set(sorted[first]!, (first + 1 + end) / 2);
  }
  for (let i = 0; i < values.length; i++) ranks[i] = rankOf.get(values[i]!)!;
  return ranks;
}
