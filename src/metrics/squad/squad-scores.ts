import { answerMatch } from './answer-match.ts';
import { answerWords } from './answer-words.ts';

/** A question with its reference answers. The list is empty if the text does not contain an answer. */
export interface AnsweredQuestion {
  id: string;
  answers: readonly string[];
}

/** Scores of SQuAD v1.1, from 0 to 1. */
export interface SquadScores {
  exact_match: number;
  f1: number;
}

/**
 * Scores predicted answers like SQuAD v1.1's official script (evaluate-v1.1.py), but as fractions instead of
 * percent. Each question gets the score of its best match among the reference answers. A question without a
 * prediction gets 0.
 *
 * @param questions at least one, each with at least one answer
 * @param predictions answers by question id
 */
export function squadScores(
  questions: readonly AnsweredQuestion[],
  predictions: ReadonlyMap<string, string>,
): SquadScores {
  let [exact, f1] = [0, 0];
  for (const { id, answers } of questions) {
    const prediction = predictions.get(id);
    if (prediction === undefined) continue;
    const words = answerWords(prediction);
    const matches = answers.map((answer) => answerMatch(words, answerWords(answer), 0));
    exact += Math.max(...matches.map((match) => match.exact));
    f1 += Math.max(...matches.map((match) => match.f1));
  }
  return { exact_match: exact / questions.length, f1: f1 / questions.length };
}
