import { addUp, mean } from '../../support/numbers.ts';

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
