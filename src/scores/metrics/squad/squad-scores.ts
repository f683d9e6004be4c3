import { largest } from '../../../support/numbers.ts';
import { PYTHON_SPACE } from '../../../support/text.ts';

/** Matches Python's `string.punctuation`, which is ASCII only. */
const PUNCTUATION = /[!-/:-@[-`{-~]/g;

/**
 * Matches articles like Python's `\b(a|an|the)\b`. In Python, a combining mark does not belong to a word, so
 * the a of "a\u0301" is an article.
 */
const ARTICLES = /(?<![\p{L}\p{N}_])(?:an?|the)(?![\p{L}\p{N}_])/gu;

const SPACES = new RegExp(`[${PYTHON_SPACE}]+`);

/**
 * The words of an answer as SQuAD's official scripts compare them: in lowercase, without punctuation and
 * articles.
 */
export function splitAnswer(answer: string): string[] {
  const bare = answer.toLowerCase().replace(PUNCTUATION, '').replace(ARTICLES, ' ');
  return bare.split(SPACES).filter((word) => word !== '');
}

/** How well a predicted answer matches a reference answer. */
interface AnswerMatch {
  /** 1 if both have the same words in the same order, otherwise 0. */
  exact: number;
  /** Harmonic mean of precision and recall over words. A repeated word counts as often as it occurs. */
  f1: number;
}

/**
 * Compares the words of a predicted answer with those of a reference answer.
 *
 * @param f1OfNothing F1 if both have no words: 1 in the script of v2.0, 0 in the script of v1.1
 */
export function answerMatch(
  predicted: readonly string[],
  actual: readonly string[],
  f1OfNothing: number,
): AnswerMatch {
  const isSame = predicted.length === actual.length && predicted.every((word, i) => word === actual[i]);
  const exact = Number(isSame);
  if (predicted.length === 0 && actual.length === 0) return { exact, f1: f1OfNothing };
  const left = new Map<string, number>();
  for (const word of actual) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of predicted) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    common++;
  }
  if (common === 0) return { exact, f1: 0 };
  const precision = common / predicted.length;
  const recall = common / actual.length;
  return { exact, f1: (2 * precision * recall) / (precision + recall) };
}

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
    const words = splitAnswer(prediction);
    const matches = answers.map((answer) => answerMatch(words, splitAnswer(answer), 0));
    exact += largest(matches.map((match) => match.exact));
    f1 += largest(matches.map((match) => match.f1));
  }
  return { exact_match: exact / questions.length, f1: f1 / questions.length };
}
