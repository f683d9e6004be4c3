import type { Scores } from '../../src/program/example-set.ts';
import { countedNoun, score } from '../../src/studies/report/format.ts';
import type { Goal } from '../worker/goal.ts';

interface GoalWords {
  /** The name of the score that `score` prints, without `eval_`. */
  metric: string;
  /** The score of a finished run on its held-out rows; 0 if it was cross-validated. */
  score(metrics: Scores, rows: number): string;
  /** A second score. */
  more(metrics: Scores): string;
  /** The inputs that the user may type or choose. */
  typed: string;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** A share of correct labels, on rows or pictures. */
const correct = (noun: string): Pick<GoalWords, 'metric' | 'score' | 'more'> => ({
  metric: 'accuracy',
  score: (metrics, rows) =>
    rows === 0
      ? `Correct on ${percent(metrics.eval_accuracy!)} of ${noun}s that it has not seen.`
      : `Correct on ${percent(metrics.eval_accuracy!)} of ${countedNoun(rows, `held-out ${noun}`)}.`,
  more: (metrics) => `F1 is ${score(metrics.eval_f1!)}.`,
});

/** The texts of the page that depend on the goal. */
export const GOAL_WORDS: Record<Goal, GoalWords> = {
  labels: { ...correct('row'), typed: 'Type a text to see how it is labeled' },
  pictures: { ...correct('picture'), typed: 'Choose a picture to see how it is labeled' },
  search: {
    metric: 'accuracy@1',
    score: (metrics, rows) =>
      `Finds the right answer first for ${percent(metrics['eval_accuracy@1']!)} of ${rows === 0 ? 'questions that it has not seen' : countedNoun(rows, 'held-out question')}.`,
    more: (metrics) => `For ${percent(metrics['eval_recall@5']!)} it is among the first five.`,
    typed: 'Type a question to find its answer',
  },
};
