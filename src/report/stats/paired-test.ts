import { type Interval, interval, variance } from './interval.ts';

/** How two methods differ over runs with equal seeds. */
export interface PairedTest {
  /** Of the differences, the first method's less the second's. */
  difference: Interval;
  /** Of Student's paired t test, two-sided: how likely so large a mean difference is where there is none. */
  p: number;
}

/** Compares values of runs with the same seeds, in their order; undefined for fewer than two pairs. */
export function pairedTest(first: readonly number[], second: readonly number[]): PairedTest | undefined {
  if (first.length < 2 || first.length !== second.length) return undefined;
  const differences = first.map((value, i) => value - second[i]);
  const difference = interval(differences);
  const { mean, count } = difference;
  const error = Math.sqrt(variance(differences) / count);
  if (error === 0) return { difference, p: mean === 0 ? 1 : 0 };
  return { difference, p: twoSided(Math.abs(mean) / error, count - 1) };
}

/**
 * The probability that |t| is larger, for Student's t with a whole number of degrees of freedom: a finite sum
 * (Abramowitz and Stegun, 26.7.3 and 26.7.4).
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
