/** A label of a text and the model's score for it. */
export interface LabelScore {
  label: string;
  score: number;
}

/** A named entity in a text. Its characters are [start, end). */
export interface EntityScore {
  entity_group: string;
  score: number;
  word: string;
  start: number;
  end: number;
}

/** The span of a context that answers a question. Its code points are [start, end). */
export interface AnswerScore {
  answer: string;
  score: number;
  start: number;
  end: number;
}

/**
 * An answer in the format of transformers' pipelines: all labels (the best first), the entities in order, or the span.
 */
export type ServedAnswer = LabelScore[] | EntityScore[] | AnswerScore;
