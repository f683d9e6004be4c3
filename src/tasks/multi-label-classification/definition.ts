import { labelSetContrast, labelSetLoss } from '../../program/objectives/sequence-loss.ts';
import { accuracy, microF1, positiveLogits } from '../../scores/metrics/classes.ts';
import { asList, byLabel, percent, shortest } from '../classes/labels.ts';
import { MIN_SEVERAL } from '../guess/columns.ts';
import { type LabelKind, labelJson, labelSetTargets } from '../labeled/label-kind.ts';
import { labeledTask } from '../labeled/labeled-task.ts';

/** The labels of a text: every label with a probability above one half. */
export interface LabelSetAnswer {
  label: string[];
  /** The probability of each label, from a separate sigmoid. */
  probabilities: Record<string, number>;
  /** The model's output for each label, in the order of the labels. */
  logits: readonly number[];
}

/** Labels that are sets of classes. */
export const labelSetKind: LabelKind<LabelSetAnswer> = {
  problemType: 'multi_label_classification',
  leastLabels: 1,
  listed: true,
  targets: labelSetTargets,
  metrics: ['f1', 'accuracy'],
  baselines: {
    linearLoss: 'sigmoid',
    linearName: 'a bag of words',
    /** Predicts the labels that more than half of the rows have. */
    blind(targets, labels) {
      const rows = targets.length / labels.length;
      const counts = labels.map(() => 0);
      for (const [i, target] of targets.entries()) counts[i % labels.length]! += target;
      const usual = labels.filter((_, i) => 2 * counts[i]! > rows);
      const name =
        usual.length > 0 ? `always ${usual.map((label) => `"${label}"`).join(', ')}` : 'never a label';
      return { name, logits: counts.map((count) => Math.log((count + 0.5) / (rows - count + 0.5))) };
    },
  },
  loss: labelSetLoss,
  contrast: labelSetContrast,
  evaluationLoss(logits, _, targets) {
    let total = 0;
    targets.forEach((target, i) => {
      const x = logits[i]!;
      total += Math.max(x, 0) - x * target + Math.log1p(Math.exp(-Math.abs(x)));
    });
    return total / targets.length;
  },
  /** Computes `accuracy`, the share of rows with all labels correct, and `f1` over all labels together (micro). */
  scores(logits, outputs, targets) {
    const predictions = positiveLogits(logits);
    return { accuracy: accuracy(predictions, targets, outputs), f1: microF1(predictions, targets) };
  },
  reference: asList,
  answer: (logits, labels) => ({
    label: labels.filter((_, i) => logits[i]! > 0),
    probabilities: byLabel(
      Array.from(logits, (logit) => shortest(1 / (1 + Math.exp(-logit)))),
      labels,
    ),
    logits: Array.from(logits),
  }),
  json: labelJson,
  describe({ label, probabilities }) {
    if (label.length === 0) return 'none of the labels';
    return label.map((name) => `${name}, ${percent(probabilities[name]!)}`).join('; ');
  },
  submitted: ({ label }) => label.join(';'),
  recognizes: () => false,
  guess: {
    labels: 'several',
    fits({ label }) {
      if (!label) return undefined;
      const { nested, separator, several } = label;
      if (nested === 'list') return { score: 3, reason: 'each row has a list of labels' };
      const isRule = several >= MIN_SEVERAL;
      const shown = isRule ? 'labels' : `in ${percent(several)} of the rows, labels`;
      const reason = `${shown} in a field are separated by "${separator ?? ';'}"`;
      return { score: separator === undefined ? -9 : isRule ? 3 : 0.5, reason };
    },
    learns: ({ texts, label }) => `find all labels ${label} of ${texts}`,
  },
  name: 'multi-label classification',
  trainedFor: (texts) => `classification of ${texts} (several labels may apply)`,
};

/** Predicts the labels that apply to a text, or a pair of texts: none, some or all. */
export const multiLabelClassification = labeledTask(labelSetKind);
