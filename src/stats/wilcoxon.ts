/** Maximum number of pairs. Counts of 2^50 sign combinations are exact, because doubles are exact up to 2^53. */
const MAX_PAIRS = 50;

/**
 * The exact two-sided p value of Wilcoxon's signed-rank test of paired differences. Ties get mean ranks, and
 * differences of 0 are dropped. Undefined for more than 50 differences, and if all are 0.
 */
export function wilcoxon(differences: readonly number[]): number | undefined {
  const values = differences.filter((value) => value !== 0 && !Number.isNaN(value));
  if (values.length === 0 || values.length > MAX_PAIRS) return undefined;
  const ranks = doubledRanks(values.map(Math.abs));
  const positive = ranks.reduce((sum, rank, i) => sum + (values[i] > 0 ? rank : 0), 0);
  // For each sum of positive ranks, the number of sign combinations (of 2^n) with that sum.
  let ways = [1];
  for (const rank of ranks) {
    const next = Array.from(
      { length: ways.length + rank },
      (_, sum) => (ways[sum] ?? 0) + (ways[sum - rank] ?? 0),
    );
    ways = next;
  }
  const total = 2 ** values.length;
  const sumOf = (some: readonly number[]) => some.reduce((sum, count) => sum + count, 0);
  const [below, above] = [sumOf(ways.slice(0, positive + 1)), sumOf(ways.slice(positive))];
  return Math.min(1, (2 * Math.min(below, above)) / total);
}

/** Twice the rank of each value. Doubled, the mean ranks of ties are integers. */
function doubledRanks(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return values.map((value) => sorted.indexOf(value) + sorted.lastIndexOf(value) + 2);
}
