import type { TaskType } from '../data/task-type.ts';
import { accuracy } from './accuracy.ts';
import { classCounts } from './class-counts.ts';
import { binaryF1, macroF1, microF1 } from './f1.ts';
import { matthewsCorrelation } from './matthews-correlation.ts';
import { meanSquaredError } from './mean-squared-error.ts';
import { pearson } from './pearson.ts';
import { argmaxRows, positiveLogits } from './predicted-labels.ts';
import { spearmanr } from './spearmanr.ts';

/**
 * The scores of one evaluation.
 *
 * | task | targets | scores |
 * |---|---|---|
 * | `single_label_classification` | `[rows]` class ids | `accuracy`, `f1` (class 1 of two; macro of more), `matthews_correlation` |
 * | `regression` | `[rows * numLabels]` | `pearson`, `spearmanr`, `mse`, over all outputs together |
 * | `multi_label_classification` | `[rows * numLabels]` of 0 and 1 | `accuracy` (whole row right), `f1` (micro) |
 *
 * A correlation that is undefined (constant predictions) is NaN, as in scipy: it is not 0, and it compares as no
 * better than anything.
 *
 * @param logits `[rows, numLabels]`, row-major
 */
export function evaluateMetrics(
  task: TaskType,
  logits: Float32Array,
  numLabels: number,
  targets: Int32Array | Float32Array,
): Record<string, number> {
  const expected = task === 'single_label_classification' ? logits.length / numLabels : logits.length;
  if (targets.length !== expected || expected === 0) {
    throw new Error(
      `evaluateMetrics: ${logits.length} logits in rows of ${numLabels}, ${targets.length} targets`,
    );
  }
  switch (task) {
    case 'single_label_classification': {
      const predictions = argmaxRows(logits, numLabels);
      const counts = classCounts(predictions, targets, numLabels);
      return {
        accuracy: accuracy(predictions, targets),
        f1: numLabels === 2 ? binaryF1(counts) : macroF1(counts),
        matthews_correlation: matthewsCorrelation(counts),
      };
    }
    case 'regression':
      return {
        pearson: pearson(logits, targets),
        spearmanr: spearmanr(logits, targets),
        mse: meanSquaredError(logits, targets),
      };
    case 'multi_label_classification': {
      const predictions = positiveLogits(logits);
      return { accuracy: accuracy(predictions, targets, numLabels), f1: microF1(predictions, targets) };
    }
  }
}
