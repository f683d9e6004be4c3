import { type Interval, interval, twoSided, variance } from './interval.ts';
import { wilcoxon } from './wilcoxon.ts';

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
  const differences = first.map((value, i) => value - second[i]);
  const difference = interval(differences);
  const { mean, count } = difference;
  const least = ROUNDING * Math.max(...first.map(Math.abs), ...second.map(Math.abs));
  // Differences are rounded, because equal differences must get equal ranks. Scores are fractions of a number of rows.
  const rank = wilcoxon(differences.map((value) => Math.round(value / least) * least || 0));
  const ranked = { difference, ...(rank !== undefined && { wilcoxon: rank }) };
  const deviation = Math.sqrt(variance(differences));
  if (!(deviation > least)) return ranked;
  const t = Math.abs(mean) / (deviation / Math.sqrt(count));
  return { ...ranked, effect: mean / deviation, p: twoSided(t, count - 1) };
}
