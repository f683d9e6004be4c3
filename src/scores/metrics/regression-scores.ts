import { mean } from '../../support/numbers.ts';
import { assertSameLength } from './classes.ts';

/**
 * Pearson correlation, as `scipy.stats.pearsonr`. NaN for a single point, or if either side is constant. Two
 * passes in 64 bits keep the precision even if the mean is large.
 */
export function pearson(
  x: ArrayLike<number> & Iterable<number>,
  y: ArrayLike<number> & Iterable<number>,
): number {
  assertSameLength(x, y);
  if (x.length < 2 || isConstant(x) || isConstant(y)) return Number.NaN;
  const meanX = mean(x);
  const meanY = mean(y);
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let i = 0; i < x.length; i++) {
    const dx = x[i]! - meanX;
    const dy = y[i]! - meanY;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  return Math.max(-1, Math.min(1, xy / (Math.sqrt(xx) * Math.sqrt(yy))));
}

/**
 * Whether all values are equal. The values themselves are compared, because the deviations from a rounded
 * mean may be tiny instead of 0.
 */
function isConstant(values: ArrayLike<number>): boolean {
  for (let i = 1; i < values.length; i++) if (values[i] !== values[0]) return false;
  return true;
}

/** Mean absolute error, as `sklearn.metrics.mean_absolute_error`. */
export function meanAbsoluteError(predictions: ArrayLike<number>, targets: ArrayLike<number>): number {
  assertSameLength(predictions, targets);
  let sum = 0;
  for (let i = 0; i < targets.length; i++) sum += Math.abs(predictions[i]! - targets[i]!);
  return sum / targets.length;
}

/** Mean squared error, as `sklearn.metrics.mean_squared_error`. */
export function meanSquaredError(predictions: ArrayLike<number>, targets: ArrayLike<number>): number {
  assertSameLength(predictions, targets);
  let sum = 0;
  for (let i = 0; i < targets.length; i++) sum += (predictions[i]! - targets[i]!) ** 2;
  return sum / targets.length;
}

/**
 * The share of the targets' variance that the predictions explain, as `sklearn.metrics.r2_score`. The maximum
 * is 1. Predicting the mean gives 0, and worse predictions give negative values. If all targets are equal,
 * the result is 1 if every prediction is right, otherwise 0. NaN for fewer than two rows.
 */
export function r2Score(predictions: ArrayLike<number>, targets: ArrayLike<number>): number {
  assertSameLength(predictions, targets);
  if (targets.length < 2) return Number.NaN;
  let mean = 0;
  for (let i = 0; i < targets.length; i++) mean += targets[i]! / targets.length;
  let [left, all] = [0, 0];
  for (let i = 0; i < targets.length; i++) {
    left += (targets[i]! - predictions[i]!) ** 2;
    all += (targets[i]! - mean) ** 2;
  }
  if (all === 0) return Number(left === 0);
  return 1 - left / all;
}

/**
 * Spearman's rank correlation, as `scipy.stats.spearmanr`. Ties get the average of their ranks. NaN if either
 * side is constant or contains a NaN.
 */
export function spearmanr(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return pearson(averageRanks(x), averageRanks(y));
}

/**
 * Ranks from 1; equal values get the average of their ranks. If any value is NaN, all ranks are NaN, because
 * the values then have no order.
 */
function averageRanks(values: ArrayLike<number>): Float64Array {
  const sorted = Float64Array.from(values).sort();
  const ranks = new Float64Array(values.length);
  if (Number.isNaN(sorted[sorted.length - 1])) return ranks.fill(Number.NaN);
  const rankOf = new Map<number, number>();
  for (let first = 0, end = 0; first < sorted.length; first = end) {
    while (end < sorted.length && sorted[end] === sorted[first]) end++;
    rankOf.set(sorted[first]!, (first + 1 + end) / 2);
  }
  for (let i = 0; i < values.length; i++) ranks[i] = rankOf.get(values[i]!)!;
  return ranks;
}
