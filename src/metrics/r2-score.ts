import { assertSameLength } from './assert-same-length.ts';

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
