import { type Interval, interval, twoSided, variance } from './interval.ts';
import { wilcoxon } from './wilcoxon.ts';

/** How two methods differ over runs with equal seeds. */
export interface PairedTest {
  /** Statistics of the differences, first method minus second. */
  difference: Interval;
  /** The mean difference in standard deviations of the differences (Cohen's d for pairs). */
  effect?: number;
  /**
   * p of Student's paired t test, two-sided: the probability of such a large mean difference under the null
   * hypothesis. Missing if all differences are equal, which the test does not cover.
   */
  p?: number;
  /** p of Wilcoxon's signed-rank test. */
  wilcoxon?: number;
}

/** Differences count as equal, except for rounding, if their deviation relative to the largest value is smaller. */
const ROUNDING = 1e-9;

/** Compares values of runs with the same seeds, in their order; undefined for fewer than two pairs. */
export function pairedTest(first: readonly number[], second: readonly number[]): PairedTest | undefined {
  if (first.length < 2 || first.length !== second.length) return undefined;
  const differences = first.map((value, i) => value - second[i]);
  const difference = interval(differences);
  const { mean, count } = difference;
  const least = ROUNDING * Math.max(...first.map(Math.abs), ...second.map(Math.abs));
  // Scores are fractions of a number of rows. Once rounding errors are removed, equal differences have equal ranks.
  const rank = wilcoxon(differences.map((value) => Math.round(value / least) * least || 0));
  const ranked = { difference, ...(rank !== undefined && { wilcoxon: rank }) };
  const deviation = Math.sqrt(variance(differences));
  if (!(deviation > least)) return ranked;
  const t = Math.abs(mean) / (deviation / Math.sqrt(count));
  return { ...ranked, effect: mean / deviation, p: twoSided(t, count - 1) };
}
