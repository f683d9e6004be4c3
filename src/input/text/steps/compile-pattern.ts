import { SplitPreTokenizer } from '@huggingface/tokenizers';
import type { Effort } from '../../../support/regex/effort.ts';
import { LinearRegex, type Match } from '../../../support/regex/linear-regex.ts';

/** A pattern of tokenizer.json: a literal text, or a regular expression in Oniguruma's dialect. */
export type Pattern = { String: string } | { Regex: string };

/** Finds all matches of a pattern in a text. */
export type Find = (text: string) => Iterable<Match>;

/** Maximum length of a pattern. The longest of known models has 300 characters. */
const MAX_LENGTH = 10_000;
/** The steps of compiling a regular expression, which takes some 0.1 ms. */
const COMPILING = 10_000;
/** The length up to which the search for a literal takes one step per character of the text. */
const SHORT = 16;

/**
 * Compiles a pattern from a file.
 *
 * @throws Error for an invalid pattern; TooMuchEffort
 */
export function compilePattern(pattern: Pattern, effort: Effort): Find {
  const source = 'String' in pattern ? pattern.String : pattern.Regex;
  if (source.length > MAX_LENGTH)
    throw new Error(`a pattern has ${source.length} characters, more than ${MAX_LENGTH}`);
  if ('String' in pattern) {
    const find = findAll(new RegExp(source.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'), 'gu'));
    return (text) => {
      effort.spend(text.length * Math.ceil(source.length / SHORT));
      return find(text);
    };
  }
  effort.spend(COMPILING);
  const { pattern: compiled } = new SplitPreTokenizer({ type: 'Split', pattern });
  if (compiled === null) throw new Error(`${source} is not a regular expression`);
  try {
    const regex = new LinearRegex(compiled.source, effort);
    return (text) => regex.matches(text);
  } catch (error) {
    throw new Error(`the pattern ${source} is not supported: ${(error as Error).message}`);
  }
}

/** Finds matches of a global regular expression, which must not be from a file. */
export function findAll(regex: RegExp): Find {
  return function* (text) {
    for (const match of text.matchAll(regex)) yield { from: match.index, to: match.index + match[0].length };
  };
}
