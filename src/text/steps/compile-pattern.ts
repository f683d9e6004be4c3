import { SplitPreTokenizer } from '@huggingface/tokenizers';
import { checkBacktracking } from './check-backtracking.ts';

/** A pattern of tokenizer.json: a literal text, or a regular expression in Oniguruma's dialect. */
export type Pattern = { String: string } | { Regex: string };

/**
 * Compiles a pattern to a global JavaScript regular expression.
 *
 * @throws Error if it is invalid, or could search forever
 */
export function compilePattern(pattern: Pattern): RegExp {
  if ('String' in pattern) return new RegExp(pattern.String.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'), 'gu');
  const { pattern: compiled } = new SplitPreTokenizer({ type: 'Split', pattern });
  if (compiled === null) throw new Error(`${pattern.Regex} is not a regular expression`);
  checkBacktracking(compiled);
  return compiled;
}
