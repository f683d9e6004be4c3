import { largest } from '../../support/numbers.ts';
import { type Interval, interval, twoSided, variance } from './interval.ts';

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
  const deviation = Math.sqrt(variance(differences));
  if (!(deviation > least)) return { difference };
  const t = Math.abs(mean) / (deviation / Math.sqrt(count));
  return { difference, effect: mean / deviation, p: twoSided(t, count - 1) };
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
