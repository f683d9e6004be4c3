/** A question about a text. */
export interface Question {
  /** The given id, or the index among the questions; unique in a file. */
  id: string;
  question: string;
  context: string;
}

/** An answer as it occurs in the context. */
export interface GivenAnswer {
  text: string;
  /** Its first character: code points from 0, as in Python. */
  start: number;
}

/** A question with its reference answers; empty if the context has no answer. */
export interface AnsweredText extends Question {
  answers: readonly GivenAnswer[];
  /** Whether its file follows SQuAD v2.0, whatever its questions: it has the version, or `is_impossible` for each. */
  ofV2?: true;
}

/** The parts read beside question and context: nothing, or answers with or without positions. */
export type AnswersRead = 'none' | 'texts' | 'places';
