/** A question about a text. */
export interface Question {
  /** The id from the file, or else the index among the questions. It is unique in a file. */
  id: string;
  question: string;
  context: string;
}

/** An answer that occurs in the context. */
export interface GivenAnswer {
  text: string;
  /** Position of its first character: code points from 0, as in Python. */
  start: number;
}

/** A question with its reference answers. Without an answer in the context, the list is empty. */
export interface AnsweredText extends Question {
  answers: readonly GivenAnswer[];
  /** Whether its file declares SQuAD v2.0, by its version or by `is_impossible` on each question. */
  ofV2?: true;
}

/** The answers to read besides question and context: none, the texts of answers, or texts with positions. */
export type AnswersRead = 'none' | 'texts' | 'places';
