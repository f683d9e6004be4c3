/** A question about a text. */
export interface Question {
  /** The id from the file; without one, the index among the questions. Unique in a file. */
  id: string;
  question: string;
  context: string;
}

/** An answer as it occurs in the context. */
export interface GivenAnswer {
  text: string;
  /** Position of its first character: code points from 0, as in Python. */
  start: number;
}

/** A question with its reference answers; the list is empty if the context has no answer. */
export interface AnsweredText extends Question {
  answers: readonly GivenAnswer[];
  /** Whether its file declares SQuAD v2.0: by its version, or by `is_impossible` on each question. */
  ofV2?: true;
}

/** The parts read in addition to question and context: nothing, the texts of answers, or texts with positions. */
export type AnswersRead = 'none' | 'texts' | 'places';
