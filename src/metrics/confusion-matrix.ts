import { assertSameLength } from './assert-same-length.ts';

/** Counts how often each class (row) was predicted as each class (column), as `sklearn.metrics.confusion_matrix`. */
export function confusionMatrix(
  predictions: ArrayLike<number>,
  targets: ArrayLike<number>,
  classes: number,
): number[][] {
  assertSameLength(predictions, targets);
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let row = 0; row < targets.length; row++) counts[targets[row]][predictions[row]]++;
  return counts;
}
