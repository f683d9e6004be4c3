/** A label of a text and what the model says for it. */
export interface LabelScore {
  label: string;
  score: number;
}

/** Words of a text that name one thing: characters [start, end). */
export interface EntityScore {
  entity_group: string;
  score: number;
  word: string;
  start: number;
  end: number;
}

/** The stretch of a context that answers a question: code points [start, end). */
export interface AnswerScore {
  answer: string;
  score: number;
  start: number;
  end: number;
}

/** An answer as clients of pipelines know it: all labels, the best first; entities in their order; or what is found. */
export type ServedAnswer = LabelScore[] | EntityScore[] | AnswerScore;
