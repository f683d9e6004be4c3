import { addUp, largest } from '../../support/numbers.ts';
import { type Interval, interval, twoSided, variance } from './interval.ts';

/** Maximum number of pairs. Counts of 2^50 sign combinations are exact, because doubles are exact up to 2^53. */
const MAX_PAIRS = 50;

/** The comparison of two methods over runs with equal seeds. */
export interface PairedTest {
  /** Mean and interval of the differences, first method minus second. */
  difference: Interval;
  /** The mean difference divided by the differences' standard deviation (Cohen's d for pairs). */
  effect?: number;
  /**
   * The two-sided p value of Student's paired t test: the probability of such a large mean difference under the null
   * hypothesis. Missing if all differences are equal, because the test needs a variance.
   */
  p?: number;
  /** The p value of Wilcoxon's signed-rank test. */
  wilcoxon?: number;
}

/** Differences count as equal if their deviation, relative to the largest value, is smaller than this. */
const ROUNDING = 1e-9;

/** Compares the values of two methods, in the same order of seeds. Undefined for fewer than two pairs. */
export function pairedTest(first: readonly number[], second: readonly number[]): PairedTest | undefined {
  if (first.length < 2 || first.length !== second.length) return undefined;
  const differences = first.map((value, i) => value - second[i]!);
  const difference = interval(differences);
  const { mean, count } = difference;
  const least = ROUNDING * Math.max(largest(first.map(Math.abs)), largest(second.map(Math.abs)));
  // Differences are rounded, because equal differences must get equal ranks. Scores are fractions of a number of rows.
  const rank = wilcoxon(differences.map((value) => Math.round(value / least) * least || 0));
  const ranked = { difference, ...(rank !== undefined && { wilcoxon: rank }) };
  const deviation = Math.sqrt(variance(differences));
  if (!(deviation > least)) return ranked;
  const t = Math.abs(mean) / (deviation / Math.sqrt(count));
  return { ...ranked, effect: mean / deviation, p: twoSided(t, count - 1) };
}

/**
 * The exact two-sided p value of Wilcoxon's signed-rank test of paired differences. Ties get mean ranks, and
 * differences of 0 are dropped. Undefined for more than 50 differences, and if all are 0.
 */
function wilcoxon(differences: readonly number[]): number | undefined {
  const values = differences.filter((value) => value !== 0 && !Number.isNaN(value));
  if (values.length === 0 || values.length > MAX_PAIRS) return undefined;
  const ranks = doubledRanks(values.map(Math.abs));
  const positive = ranks.reduce((sum, rank, i) => sum + (values[i]! > 0 ? rank : 0), 0);
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
  const [below, above] = [addUp(ways.slice(0, positive + 1)), addUp(ways.slice(positive))];
  return Math.min(1, (2 * Math.min(below, above)) / total);
}

/** Twice the rank of each value. Doubled, the mean ranks of ties are integers. */
function doubledRanks(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return values.map((value) => sorted.indexOf(value) + sorted.lastIndexOf(value) + 2);
}

/** Corrects the p values of several tests by Holm's method. Tests without a p value are not counted. */
export function holm(all: readonly (number | undefined)[]): (number | undefined)[] {
  const order = all.flatMap((p, i) => (p === undefined ? [] : [{ p, i }])).sort((a, b) => a.p - b.p);
  const corrected: (number | undefined)[] = all.map(() => undefined);
  let least = 0;
  order.forEach(({ p, i }, rank) => {
    least = Math.max(least, Math.min(1, (order.length - rank) * p));
    corrected[i] = least;
  });
  return corrected;
}
