import { addUp, largest, mean } from '../../support/numbers.ts';

/** A mean, and with two or more values its 95 % interval from Student's t. */
export interface Interval {
  mean: number;
  /** Half the width of the interval. */
  half?: number;
  count: number;
}

/** Mean and t interval of values from runs that differ only by their seed. If a value is NaN, the mean is NaN. */
export function interval(values: readonly number[]): Interval {
  const count = values.length;
  const middle = mean(values);
  if (count < 2) return { mean: middle, count };
  return { mean: middle, half: tQuantile(count - 1) * Math.sqrt(variance(values) / count), count };
}

/** The sample variance of two or more values. */
export function variance(values: readonly number[]): number {
  const middle = mean(values);
  return addUp(values, (value) => (value - middle) ** 2) / (values.length - 1);
}

/** The 97.5 % quantile of Student's t, in full double precision. */
export function tQuantile(degrees: number): number {
  let [low, high] = [0, 13];
  while (high - low > 1e-14 * high) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (twoSided(middle, degrees) > 0.05) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * The two-sided p value of t: the probability of a larger |t| under Student's t with an integer number of degrees of
 * freedom. Computed as a finite sum (Abramowitz and Stegun, 26.7.3 and 26.7.4).
 */
export function twoSided(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const isOdd = degrees % 2 === 1;
  let term = isOdd ? cosine : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let n = isOdd ? 3 : 2; n < degrees - 1; n += 2) {
    term *= (cosine * cosine * (n - 1)) / n;
    sum += term;
  }
  const inside = isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
  return Math.max(0, 1 - inside);
}

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
