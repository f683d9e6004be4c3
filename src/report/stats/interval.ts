/** A mean of some values, with the 95 % interval of it that Student's t gives where there are two or more. */
export interface Interval {
  mean: number;
  /** Half the interval's width. */
  half?: number;
  count: number;
}

/** Mean and t interval of values from runs that differ by their seed; NaN among them makes the mean NaN. */
export function interval(values: readonly number[]): Interval {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count < 2) return { mean, count };
  return { mean, half: tQuantile(count - 1) * Math.sqrt(variance(values) / count), count };
}

/** The variance of two or more values, as of a sample. */
export function variance(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

/** 0.975 quantiles of Student's t for 1 to 12 degrees of freedom. */
const T = [12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.306, 2.2622, 2.2281, 2.201, 2.1788];
const NORMAL = 1.959964;

/** The quantile of Student's t that leaves 2.5 % above; from 13 degrees on by Cornish and Fisher's expansion. */
export function tQuantile(degrees: number): number {
  if (degrees <= T.length) return T[degrees - 1];
  const z = NORMAL;
  return (
    z +
    (z ** 3 + z) / (4 * degrees) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * degrees ** 3)
  );
}
