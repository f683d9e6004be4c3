import { PYTHON_SPACE } from '../../support/python-space.ts';

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
export function answerWords(answer: string): string[] {
  const bare = answer.toLowerCase().replace(PUNCTUATION, '').replace(ARTICLES, ' ');
  return bare.split(SPACES).filter((word) => word !== '');
}
