import { PYTHON_SPACE } from '../../support/python-space.ts';

/** Python's `string.punctuation`: ASCII only. */
const PUNCTUATION = /[!-/:-@[-`{-~]/g;
/**
 * Python's `\b(a|an|the)\b`: words consist of letters and numbers without marks, so the a of "a\u0301" is an article.
 */
const ARTICLES = /(?<![\p{L}\p{N}_])(?:an?|the)(?![\p{L}\p{N}_])/gu;
const SPACES = new RegExp(`[${PYTHON_SPACE}]+`);

/** The words of an answer as SQuAD's official scripts compare them: lowercase, without punctuation and articles. */
export function answerWords(answer: string): string[] {
  const bare = answer.toLowerCase().replace(PUNCTUATION, '').replace(ARTICLES, ' ');
  return bare.split(SPACES).filter((word) => word !== '');
}
