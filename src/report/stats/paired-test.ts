import { type Interval, interval, twoSided, variance } from './interval.ts';
import { wilcoxon } from './wilcoxon.ts';

/** How two methods differ over runs with equal seeds. */
export interface PairedTest {
  /** Of the differences, the first method's less the second's. */
  difference: Interval;
  /** The mean difference in standard deviations of the differences (Cohen's d of pairs). */
  effect?: number;
  /**
   * Of Student's paired t test, two-sided: how likely so large a mean difference is if there is none. Missing if all
   * differences are equal, of which the test knows nothing.
   */
  p?: number;
  /** Of Wilcoxon's signed-rank test, likewise. */
  wilcoxon?: number;
}

/** Differences whose deviation is smaller beside their values are equal but for rounding. */
const ROUNDING = 1e-9;

/** Compares values of runs with the same seeds, in their order; undefined for fewer than two pairs. */
export function pairedTest(first: readonly number[], second: readonly number[]): PairedTest | undefined {
  if (first.length < 2 || first.length !== second.length) return undefined;
  const differences = first.map((value, i) => value - second[i]);
  const difference = interval(differences);
  const { mean, count } = difference;
  const least = ROUNDING * Math.max(...first.map(Math.abs), ...second.map(Math.abs));
  // Scores are shares of some rows: without their rounding, equal differences have equal ranks.
  const rank = wilcoxon(differences.map((value) => Math.round(value / least) * least || 0));
  const ranked = { difference, ...(rank !== undefined && { wilcoxon: rank }) };
  const deviation = Math.sqrt(variance(differences));
  if (!(deviation > least)) return ranked;
  const t = Math.abs(mean) / (deviation / Math.sqrt(count));
  return { ...ranked, effect: mean / deviation, p: twoSided(t, count - 1) };
}
