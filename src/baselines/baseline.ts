import type { ScoreName } from '../metrics/scores.ts';

/** A simple predictor, fitted on the training rows, that a model has to beat. */
export interface Baseline {
  /** Its name in a sentence: `a bag of words`, `always "returns"`. */
  name: string;
  /** Whether it ignores the text, like the majority class. */
  isBlind: boolean;
  /** Scores on the model's evaluation rows; NaN if a score is undefined. */
  scores: Partial<Record<ScoreName, number>>;
}
