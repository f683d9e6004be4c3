/** Scores of one allocation, as decimal logarithms. The counts include triplets without a score. */
export interface SplitScores {
  kept: number[];
  dropped: number[];
  keptCount: number;
  count: number;
}

/**
 * Splits an allocation's scores into kept and dropped ones.
 *
 * @param scores by module, each with the largest score first
 * @param ranks number of kept triplets in each of these modules
 */
export function splitScores(
  scores: readonly (readonly (number | null)[])[],
  ranks: readonly number[],
): SplitScores {
  const isScore = (score: number | null): score is number => score !== null;
  const kept = scores.flatMap((module, k) => module.slice(0, ranks[k] ?? 0));
  const dropped = scores.flatMap((module, k) => module.slice(ranks[k] ?? 0));
  const counts = { keptCount: kept.length, count: kept.length + dropped.length };
  return { kept: kept.filter(isScore), dropped: dropped.filter(isScore), ...counts };
}

/** Counts the values between `edges`, which are evenly spaced. The outer bins also count values outside the edges. */
export function binned(values: readonly number[], edges: readonly number[]): number[] {
  const bins = edges.slice(1).map(() => 0);
  const width = edges[1]! - edges[0]!;
  for (const value of values) {
    const bin = Math.floor((value - edges[0]!) / width + 1e-9);
    bins[Math.max(0, Math.min(bins.length - 1, bin))]!++;
  }
  return bins;
}

/** Edges of at most 40 bins around all values. Bins span a quarter of a decade or more. */
export function binEdges(values: readonly number[]): number[] {
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  if (!(high >= low)) return [0, 1];
  const width = [0.125, 0.25, 0.5, 1, 2, 5, 10].find((size) => (high - low) / size <= 38) ?? 20;
  const first = Math.floor(low / width);
  const count = Math.floor(high / width) - first + 1;
  return Array.from({ length: count + 1 }, (_, i) => (first + i) * width);
}
