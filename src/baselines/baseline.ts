import type { ScoreName } from '../metrics/scores.ts';

/** A simple way to answer, fitted on the training rows: what a model has to beat. */
export interface Baseline {
  /** As it stands in a sentence: `a bag of words`, `always "returns"`. */
  name: string;
  /** Whether it answers without reading the text, such as the majority class. */
  isBlind: boolean;
  /** On the rows that the model is scored on; NaN where a score is undefined. */
  scores: Partial<Record<ScoreName, number>>;
}
