import { assertSameLength } from './assert-same-length.ts';

/**
 * The share of rows whose prediction equals the target, as `sklearn.metrics.accuracy_score`. With `width` >
 * 1, each row has that many 0/1 indicators. A row counts only if all its indicators are right (subset
 * accuracy).
 */
export function accuracy(predictions: ArrayLike<number>, targets: ArrayLike<number>, width = 1): number {
  assertSameLength(predictions, targets);
  const rows = targets.length / width;
  let correct = 0;
  for (let row = 0; row < rows; row++) {
    let same = true;
    for (let i = row * width; i < (row + 1) * width; i++) same &&= predictions[i] === targets[i];
    if (same) correct++;
  }
  return correct / rows;
}
