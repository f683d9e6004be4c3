/** A label of a text and the model's score for it. */
export interface LabelScore {
  label: string;
  score: number;
}

/** Words of a text that name one thing: its characters [start, end). */
export interface EntityScore {
  entity_group: string;
  score: number;
  word: string;
  start: number;
  end: number;
}

/** The span of a context that answers a question: code points [start, end). */
export interface AnswerScore {
  answer: string;
  score: number;
  start: number;
  end: number;
}

/** An answer as transformers' pipelines give it: all labels (the best first), the entities in their order, or the span. */
export type ServedAnswer = LabelScore[] | EntityScore[] | AnswerScore;
