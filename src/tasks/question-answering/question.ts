/** A question about a text. */
export interface Question {
  /** Given or its place among the questions; of its own in a file. */
  id: string;
  question: string;
  context: string;
}

/** An answer as it stands in the context. */
export interface GivenAnswer {
  text: string;
  /** Its first character: code points from 0, as in Python. */
  start: number;
}

/** A question with what people answered; nothing where the context has no answer. */
export interface AnsweredText extends Question {
  answers: readonly GivenAnswer[];
  /** Whether its file is one of SQuAD v2.0, whatever questions are in it: it says so, or whether each is impossible. */
  ofV2?: true;
}

/** What is looked for beside question and context: nothing, or answers with or without their places. */
export type AnswersRead = 'none' | 'texts' | 'places';
