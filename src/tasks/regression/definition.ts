import { scoreLoss } from '../../program/objectives/sequence-loss.ts';
import {
  meanAbsoluteError,
  meanSquaredError,
  pearson,
  r2Score,
  spearmanr,
} from '../../scores/metrics/regression-scores.ts';
import { shortest } from '../classes/labels.ts';
import { hasScoreName, isScale } from '../guess/columns.ts';
import { type LabelKind, labelJson, scoreTargets } from '../labeled/label-kind.ts';

import { labeledTask } from '../labeled/labeled-task.ts';

/** The score of a text. */
export interface ScoreAnswer {
  label: number;
  /** The score before it is shortened, as a list of one number. */
  logits: readonly number[];
}

/** Labels that are numbers. */
export const scoreKind: LabelKind<ScoreAnswer> = {
  problemType: 'regression',
  leastLabels: 0,
  listed: false,
  targets: scoreTargets,
  metrics: ['pearson', 'spearmanr', 'combined_score', 'mse', 'mae', 'r2'],
  baselines: {
    linearLoss: 'squared',
    linearName: 'ridge regression on a bag of words',
    blind(targets) {
      let mean = 0;
      for (const target of targets) mean += target / targets.length;
      return { name: `always the mean, ${Number(mean.toPrecision(3))}`, logits: [mean] };
    },
  },
  loss: scoreLoss,
  evaluationLoss: (logits, _, targets) => {
    let total = 0;
    targets.forEach((target, i) => {
      total += (logits[i]! - target) ** 2;
    });
    return total / targets.length;
  },
  /**
   * Computes the correlations and their mean, `combined_score` (GLUE's score for STS-B). If predictions are constant, a
   * correlation is undefined: NaN, as in SciPy. It counts as the worst.
   */
  scores(logits, _, targets) {
    const correlations = { pearson: pearson(logits, targets), spearmanr: spearmanr(logits, targets) };
    const combined_score = (correlations.pearson + correlations.spearmanr) / 2;
    return {
      ...correlations,
      combined_score,
      mse: meanSquaredError(logits, targets),
      mae: meanAbsoluteError(logits, targets),
      r2: r2Score(logits, targets),
    };
  },
  reference: Number,
  answer: (logits) => ({ label: shortest(logits[0]!), logits: Array.from(logits) }),
  json: labelJson,
  describe: ({ label }) => `${label}`,
  submitted: ({ label }) => label.toFixed(3),
  recognizes: (_, outputs) => outputs === 1,
  guess: {
    labels: 'number',
    fits({ label, pair }) {
      if (!label) return undefined;
      const { distinct, isWhole } = label;
      if (isScale(label))
        return {
          score: pair === 'compared' ? 5 : 3,
          reason: `${distinct} different numbers, which are a scale rather than classes`,
        };
      const isRating = isWhole && distinct > 2 && hasScoreName(label);
      return { score: isRating ? 0.5 : -9, reason: 'the labels are numbers' };
    },
    learns: ({ texts, label }) => `predict the number ${label} of ${texts}`,
  },
  name: 'regression',
  trainedFor: (texts) => `regression on ${texts}`,
};

/** Predicts a number for a text, or a pair of texts. */
export const regression = labeledTask(scoreKind);
