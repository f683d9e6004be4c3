import type { ScoreName } from '../metrics/scores.ts';

/**
 * The first sentence of a text. It ends at a line end, or at a full stop, exclamation mark or question mark
 * before a space.
 */
export function firstSentence(text: string): string {
  const [sentence] = /^.*?(?:[.!?]["'”’)]*(?=\s)|$)/m.exec(text.trimStart()) ?? [''];
  return sentence;
}

/** A simple predictor, fitted on the training rows, that a model has to beat. */
export interface Baseline {
  /** Its name in a sentence: `a bag of words`, `always "returns"`. */
  name: string;
  /** Whether it ignores the text, like the majority class. */
  isBlind: boolean;
  /** Scores on the model's evaluation rows; NaN if a score is undefined. */
  scores: Partial<Record<ScoreName, number>>;
  /** Advice if it is better than the trained model. */
  remedy?: string;
}

/** The baselines of several folds: means of their scores, weighted by rows. Every fold has the same baselines. */
export function meanBaselines(
  folds: readonly { rows: number; baselines: readonly Baseline[] }[],
): Baseline[] {
  const total = folds.reduce((sum, { rows }) => sum + rows, 0);
  const [first] = folds;
  return (first?.baselines ?? []).map(({ scores, ...baseline }, i) => ({
    ...baseline,
    scores: Object.fromEntries(
      (Object.keys(scores) as ScoreName[]).map((score) => [
        score,
        folds.reduce(
          (sum, { rows, baselines }) => sum + (rows * (baselines[i]!.scores[score] ?? Number.NaN)) / total,
          0,
        ),
      ]),
    ),
  }));
}
