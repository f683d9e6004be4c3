import { largest } from '../../support/numbers.ts';
/** Throws an error if the numbers of predictions and targets differ, because scores would be wrong without notice. */
export function assertSameLength(predictions: ArrayLike<number>, targets: ArrayLike<number>): void {
  if (predictions.length === targets.length && targets.length > 0) return;
  throw new Error(
    `a score needs as many predictions as targets: ${predictions.length} predictions, ${targets.length} targets`,
  );
}

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

/**
 * The class with the largest logit in each row of `[rows, classes]`. If logits are equal, the first class, as
 * with `numpy.argmax`.
 */
export function argmaxRows(logits: Float32Array, classes: number): Int32Array {
  const labels = new Int32Array(logits.length / classes);
  for (let row = 0; row < labels.length; row++) {
    const start = row * classes;
    for (let k = 1; k < classes; k++) if (logits[start + k]! > logits[start + labels[row]!]!) labels[row] = k;
  }
  return labels;
}

/** Converts multi-label logits to 0 or 1. A logit above 0 gives 1, because its sigmoid exceeds one half. */
export function positiveLogits(logits: Float32Array): Int32Array {
  return Int32Array.from(logits, (logit) => (logit > 0 ? 1 : 0));
}

/** Precision and recall of a class, and its number of rows. */
interface ClassScores {
  precision: number;
  recall: number;
  f1: number;
  support: number;
}

/**
 * Scores of each class from a confusion matrix, as `sklearn.metrics.classification_report`. A score is 0 if
 * its denominator is 0.
 */
export function classReport(counts: readonly (readonly number[])[]): ClassScores[] {
  return counts.map((row, id) => {
    const support = row.reduce((sum, count) => sum + count, 0);
    const predicted = counts.reduce((sum, other) => sum + other[id]!, 0);
    const hits = row[id]!;
    return {
      precision: predicted === 0 ? 0 : hits / predicted,
      recall: support === 0 ? 0 : hits / support,
      f1: predicted + support === 0 ? 0 : (2 * hits) / (predicted + support),
      support,
    };
  });
}

/** Rows of a table: the name, scores and predictions of each class, then the means of all classes. */
export function classRows(
  { labels, counts }: { labels: readonly string[]; counts: readonly (readonly number[])[] },
  show: (share: number) => string,
): string[][] {
  const row = (
    name: string,
    { precision, recall, f1, support }: ClassScores,
    predicted: readonly unknown[],
  ) => [name, ...[precision, recall, f1].map(show), ...[support, ...predicted].map(String)];
  return [
    ...classReport(counts).map((scores, id) => row(labels[id]!, scores, counts[id]!)),
    row(
      'mean of classes (macro)',
      macroScores(counts),
      labels.map(() => ''),
    ),
  ];
}

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

/**
 * Matthews correlation for any number of classes (Gorodkin's R_K), as `sklearn.metrics.matthews_corrcoef`. If
 * all predictions or all targets are the same class, the correlation is undefined, and the result is 0.
 */
export function matthewsCorrelation({ rows, predicted, actual, correct }: ClassCounts): number {
  let hits = 0;
  let cross = 0;
  let predictedSquares = 0;
  let actualSquares = 0;
  for (let k = 0; k < actual.length; k++) {
    hits += correct[k]!;
    cross += predicted[k]! * actual[k]!;
    predictedSquares += predicted[k]! ** 2;
    actualSquares += actual[k]! ** 2;
  }
  const spread = (rows ** 2 - predictedSquares) * (rows ** 2 - actualSquares);
  return spread === 0 ? 0 : (hits * rows - cross) / Math.sqrt(spread);
}

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

/**
 * The mean cross-entropy of class logits, computed in 64 bits.
 *
 * @param logits [rows, classes], row-major
 * @param targets class ids, [rows]
 */
export function meanCrossEntropy(logits: Float32Array, classes: number, targets: ArrayLike<number>): number {
  let total = 0;
  for (let row = 0; row < targets.length; row++) {
    const scores = logits.subarray(row * classes, (row + 1) * classes);
    const most = largest(scores);
    total += most - scores[targets[row]!]!;
    total += Math.log(scores.reduce((sum, score) => sum + Math.exp(score - most), 0));
  }
  return total / targets.length;
}

/** Number of bins of equal width, as in the paper's tables. */
const BINS = 15;

/**
 * How far confidences are from accuracies (Guo et al., ICML 2017, equation 3). Predictions are put in bins by the
 * probability of their class. For each bin, the mean probability is compared with the share of correct predictions; the
 * result is the mean difference, weighted by the sizes of the bins.
 *
 * @param logits [rows, classes], row-major
 * @param targets class ids, [rows]
 */
export function expectedCalibrationError(
  logits: Float32Array,
  classes: number,
  targets: ArrayLike<number>,
): number {
  // For each bin: the sum of confidences less the number of correct predictions.
  const gaps = new Float64Array(BINS);
  for (let row = 0; row < targets.length; row++) {
    const scores = logits.subarray(row * classes, (row + 1) * classes);
    const most = largest(scores);
    const confidence = 1 / scores.reduce((sum, score) => sum + Math.exp(score - most), 0);
    const bin = Math.max(0, Math.ceil(confidence * BINS) - 1);
    gaps[bin]! += confidence - (scores.indexOf(most) === targets[row] ? 1 : 0);
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / targets.length;
}
