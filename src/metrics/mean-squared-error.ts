import { assertSameLength } from './assert-same-length.ts';

/** Mean squared error, as `sklearn.metrics.mean_squared_error`. */
export function meanSquaredError(predictions: ArrayLike<number>, targets: ArrayLike<number>): number {
  assertSameLength(predictions, targets);
  let sum = 0;
  for (let i = 0; i < targets.length; i++) sum += (predictions[i]! - targets[i]!) ** 2;
  return sum / targets.length;
}
