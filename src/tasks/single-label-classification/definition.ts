import { classContrast, classLoss } from '../../program/objectives/sequence-loss.ts';
import {
  accuracy,
  argmaxRows,
  assertSameLength,
  binaryF1,
  classCounts,
  expectedCalibrationError,
  macroF1,
  matthewsCorrelation,
  meanCrossEntropy,
} from '../../scores/metrics/classes.ts';
import { largest } from '../../support/numbers.ts';
import { byLabel, percent, shortest } from '../classes/labels.ts';
import { classTargets, type LabelKind, labelJson } from '../labeled/label-kind.ts';

import { labeledTask } from '../labeled/labeled-task.ts';

/**
 * Class names of GLUE's tasks, in the order of the class ids in the Hub's dataset `nyu-mll/glue`. GLUE's own
 * files contain these names for MNLI, QNLI and RTE, and ids for other tasks.
 */
export const GLUE_CLASSES = {
  cola: ['unacceptable', 'acceptable'],
  sst2: ['negative', 'positive'],
  mrpc: ['not_equivalent', 'equivalent'],
  qqp: ['not_duplicate', 'duplicate'],
  mnli: ['entailment', 'neutral', 'contradiction'],
  qnli: ['entailment', 'not_entailment'],
  rte: ['entailment', 'not_entailment'],
  wnli: ['not_entailment', 'entailment'],
} as const;

/** The class of a text. */
export interface ClassAnswer {
  label: string;
  /** The probability of each label, from a softmax. */
  probabilities: Record<string, number>;
  /** The model's output for each label, in the order of the labels. */
  logits: readonly number[];
}

/** The numbers that GLUE's server expects, by class name. */
const SUBMITTED = new Map<string, string>(
  (['cola', 'sst2', 'mrpc', 'qqp'] as const).flatMap((task) =>
    GLUE_CLASSES[task].map((name, id): [string, string] => [name, `${id}`]),
  ),
);

/** Labels that are one class each. */
export const classKind: LabelKind<ClassAnswer> = {
  problemType: 'single_label_classification',
  leastLabels: 2,
  listed: false,
  targets: classTargets,
  metrics: ['accuracy', 'f1', 'combined_score', 'matthews_correlation', 'expected_calibration_error'],
  baselines: {
    linearLoss: 'softmax',
    linearName: 'a bag of words',
    /**
     * Predicts the majority class. The logits are the shares of all classes: of all answers that ignore the text, these
     * have the lowest loss.
     */
    blind(targets, labels) {
      const counts = labels.map(() => 0);
      for (const id of targets) counts[id]!++;
      const most = counts.indexOf(largest(counts));
      return {
        name: `always "${labels[most]}"`,
        logits: counts.map((count) => Math.log(Math.max(count, 0.5))),
      };
    },
  },
  loss: classLoss,
  contrast: classContrast,
  smoothsLabels: true,
  weighsClasses: true,
  evaluationLoss: meanCrossEntropy,
  /**
   * Computes the scores. With two classes, `f1` is that of class 1; with more, the mean over classes (macro).
   * `combined_score` is GLUE's score for QQP and MRPC.
   */
  scores(logits, outputs, targets) {
    const predictions = argmaxRows(logits, outputs);
    const counts = classCounts(predictions, targets, outputs);
    const share = accuracy(predictions, targets);
    const f1 = outputs === 2 ? binaryF1(counts) : macroF1(counts);
    return {
      accuracy: share,
      f1,
      combined_score: (share + f1) / 2,
      matthews_correlation: matthewsCorrelation(counts),
      expected_calibration_error: expectedCalibrationError(logits, outputs, targets),
    };
  },
  averages(labels): Record<string, string> {
    if (labels.length < 2) return {};
    return { f1: labels.length > 2 ? 'macro' : `of "${labels[1]}"` };
  },
  confusion: (logits, outputs, targets) => confusionMatrix(argmaxRows(logits, outputs), targets, outputs),
  reference: String,
  answer(logits, labels) {
    const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
    const sum = powers.reduce((a, b) => a + b, 0);
    const shares = powers.map((power) => shortest(power / sum));
    return {
      label: labels[logits.indexOf(largest)]!,
      probabilities: byLabel(shares, labels),
      logits: Array.from(logits),
    };
  },
  json: labelJson,
  describe: ({ label, probabilities }) => `${label}, ${percent(probabilities[label] ?? Number.NaN)}`,
  submitted({ label, logits }) {
    const [id] = argmaxRows(Float32Array.from(logits), logits.length);
    // GLUE's server also expects numbers for WNLI. On the Hub, WNLI has RTE's class names in the opposite order.
    const isOfWnli = logits.length === 2 && label === GLUE_CLASSES.wnli[id!];
    return isOfWnli ? `${id}` : (SUBMITTED.get(label) ?? label);
  },
  recognizes: (_, outputs) => outputs > 1,
  guess: {
    fits: ({ label }) => label && { score: 1, reason: `${label.distinct} labels that repeat` },
    learns: ({ texts, label }) => `classify ${texts} by ${label}`,
  },
  name: 'classification',
  trainedFor: (texts) => `classification of ${texts}`,
};

/** Predicts the class of a text, or a pair of texts. */
export const singleLabelClassification = labeledTask(classKind);

/** Counts how often each class (row) was predicted as each class (column), as `sklearn.metrics.confusion_matrix`. */
function confusionMatrix(
  predictions: ArrayLike<number>,
  targets: ArrayLike<number>,
  classes: number,
): number[][] {
  assertSameLength(predictions, targets);
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let row = 0; row < targets.length; row++) counts[targets[row]!]![predictions[row]!]!++;
  return counts;
}
