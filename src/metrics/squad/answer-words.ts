import { PYTHON_SPACE } from '../../support/python-space.ts';

/** Python's `string.punctuation`: that of ASCII alone. */
const PUNCTUATION = /[!-/:-@[-`{-~]/g;
/** Python's `\b(a|an|the)\b`: letters and numbers make words, marks do not, so that the a of "a\u0301" is an article. */
const ARTICLES = /(?<![\p{L}\p{N}_])(?:an?|the)(?![\p{L}\p{N}_])/gu;
const SPACES = new RegExp(`[${PYTHON_SPACE}]+`);

/** The words of an answer as the official scripts of SQuAD compare them: in lower case, without punctuation and articles. */
export function answerWords(answer: string): string[] {
  const bare = answer.toLowerCase().replace(PUNCTUATION, '').replace(ARTICLES, ' ');
  return bare.split(SPACES).filter((word) => word !== '');
}
