import * as library from '@huggingface/tokenizers';
import { checkBacktracking } from './check-backtracking.ts';

// Its types lie where TypeScript does not look for them.
const { SplitPreTokenizer } = library as unknown as {
  SplitPreTokenizer: new (config: { type: 'Split'; pattern: Pattern }) => { pattern: RegExp | null };
};

/** A pattern of tokenizer.json: a text, or a regular expression in the dialect of Oniguruma. */
export type Pattern = { String: string } | { Regex: string };

/** The same as a global regular expression of this language. Throws an Error for what is none, or may search for ever. */
export function compilePattern(pattern: Pattern): RegExp {
  if ('String' in pattern) return new RegExp(pattern.String.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'), 'gu');
  const { pattern: compiled } = new SplitPreTokenizer({ type: 'Split', pattern });
  if (compiled === null) throw new Error(`${pattern.Regex} is no regular expression`);
  checkBacktracking(compiled);
  return compiled;
}
