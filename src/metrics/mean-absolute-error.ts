import { assertSameLength } from './assert-same-length.ts';

/** Mean absolute error, as `sklearn.metrics.mean_absolute_error`. */
export function meanAbsoluteError(predictions: ArrayLike<number>, targets: ArrayLike<number>): number {
  assertSameLength(predictions, targets);
  let sum = 0;
  for (let i = 0; i < targets.length; i++) sum += Math.abs(predictions[i]! - targets[i]!);
  return sum / targets.length;
}
