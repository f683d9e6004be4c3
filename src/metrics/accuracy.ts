import { assertSameLength } from './assert-same-length.ts';

/**
 * The share of rows with a prediction equal to the target, as `sklearn.metrics.accuracy_score`. With `width` > 1,
 * both are rows of that many 0/1 indicators, and a row counts only if all of it is right (subset accuracy).
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
