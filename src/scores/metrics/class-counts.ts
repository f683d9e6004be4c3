import { assertSameLength } from './assert-same-length.ts';

/** Counts for each class: how often it was predicted, how often it was the target, and how often both. */
export interface ClassCounts {
  rows: number;
  predicted: Float64Array;
  actual: Float64Array;
  correct: Float64Array;
}

export function classCounts(
  predictions: ArrayLike<number>,
  targets: ArrayLike<number>,
  classes: number,
): ClassCounts {
  assertSameLength(predictions, targets);
  const predicted = new Float64Array(classes);
  const actual = new Float64Array(classes);
  const correct = new Float64Array(classes);
  for (let row = 0; row < targets.length; row++) {
    predicted[predictions[row]!]!++;
    actual[targets[row]!]!++;
    if (predictions[row] === targets[row]) correct[targets[row]!]!++;
  }
  return { rows: targets.length, predicted, actual, correct };
}
