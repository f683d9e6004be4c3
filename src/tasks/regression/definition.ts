import { meanSquaredError } from '../../metrics/mean-squared-error.ts';
import { pearson } from '../../metrics/pearson.ts';
import { spearmanr } from '../../metrics/spearmanr.ts';
import { scoreLoss } from '../../objectives/sequence-loss.ts';
import { shortest } from '../labelled-texts/answer-text.ts';
import { type LabelKind, labelledTexts } from '../labelled-texts/labelled-texts.ts';
import { scoreTargets } from '../labelled-texts/to-targets.ts';

/** The score of a text. */
export interface ScoreAnswer {
  label: number;
  logits: Float32Array;
}

/** Labels that are numbers. */
export const scoreKind: LabelKind<ScoreAnswer> = {
  problemType: 'regression',
  leastLabels: 0,
  listed: false,
  targets: scoreTargets,
  metrics: ['pearson', 'spearmanr', 'mse'],
  loss: scoreLoss,
  evaluationLoss: (logits, _, targets) => {
    let total = 0;
    targets.forEach((target, i) => {
      total += (logits[i] - target) ** 2;
    });
    return total / targets.length;
  },
  /** A correlation that is undefined (constant predictions) is NaN, as in SciPy: it counts as no better than anything. */
  scores: (logits, _, targets) => ({
    pearson: pearson(logits, targets),
    spearmanr: spearmanr(logits, targets),
    mse: meanSquaredError(logits, targets),
  }),
  answer: (logits) => ({ label: shortest(logits[0]), logits }),
  json: ({ label, logits }, details) => ({ label, ...(details && { logits: Array.from(logits, shortest) }) }),
  describe: ({ label }) => `${label}`,
  recognises: (_, outputs) => outputs === 1,
  name: 'regression',
  purpose: (texts) => `regression on ${texts}`,
};

/** A number that a text, or a pair of texts, is given. */
export const regression = labelledTexts(scoreKind);
