import { assertSameLength } from './assert-same-length.ts';
import type { ClassCounts } from './class-counts.ts';
import { type ClassScores, classReport } from './class-report.ts';

/** F1 of one class against the rest, as `sklearn.metrics.f1_score(average="binary", pos_label=positive)`. */
export function binaryF1({ predicted, actual, correct }: ClassCounts, positive = 1): number {
  return harmonic(correct[positive]!, predicted[positive]!, actual[positive]!);
}

/**
 * Mean F1 over classes, as `f1_score(average="macro")`. As in scikit-learn, the mean excludes classes that
 * are neither targets nor predicted.
 */
export function macroF1({ predicted, actual, correct }: ClassCounts): number {
  let sum = 0;
  let present = 0;
  for (let k = 0; k < actual.length; k++) {
    if (predicted[k]! + actual[k]! === 0) continue;
    sum += harmonic(correct[k]!, predicted[k]!, actual[k]!);
    present++;
  }
  return sum / present;
}

/** F1 over all 0/1 indicators of a multi-label task, as `f1_score(average="micro")`. */
export function microF1(predictions: ArrayLike<number>, targets: ArrayLike<number>): number {
  assertSameLength(predictions, targets);
  let correct = 0;
  let predicted = 0;
  let actual = 0;
  for (let i = 0; i < targets.length; i++) {
    correct += predictions[i]! * targets[i]!;
    predicted += predictions[i]!;
    actual += targets[i]!;
  }
  return harmonic(correct, predicted, actual);
}

/**
 * 2 P R / (P + R), computed from counts. If both `predicted` and `actual` are 0, the result is 0, as with
 * scikit-learn's default.
 */
function harmonic(correct: number, predicted: number, actual: number): number {
  return predicted + actual === 0 ? 0 : (2 * correct) / (predicted + actual);
}

/**
 * The means of {@link classReport} over classes. As for F1, classes that are neither targets nor predicted
 * are excluded.
 */
export function macroScores(counts: readonly (readonly number[])[]): ClassScores {
  const scores = classReport(counts);
  const present = scores.filter((_, id) => counts.some((row, other) => row[id]! + counts[id]![other]! > 0));
  const mean = (of: (of: ClassScores) => number) =>
    present.reduce((sum, score) => sum + of(score), 0) / present.length;
  return {
    precision: mean(({ precision }) => precision),
    recall: mean(({ recall }) => recall),
    f1: mean(({ f1 }) => f1),
    support: scores.reduce((sum, { support }) => sum + support, 0),
  };
}
