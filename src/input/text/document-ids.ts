import { concatenated } from '../../support/arrays.ts';
import { commonPrefix, type LearntIds } from './learnt-ids.ts';
import type { TextTokenizer } from './tokenizer.ts';

/** The tokens of a text as a document of its own, with the tokenizer's special tokens and an end of text. */
export function documentIds(
  tokenizer: TextTokenizer,
  text: string,
  onProgress?: (characters: number) => void,
): Int32Array {
  return ended(framed(tokenizer, text, onProgress), tokenizer.idOf('eos_token'));
}

/**
 * The tokens of a prompt with its completion and an end of text. Learning starts at the first token that differs from
 * the tokens of the prompt alone. TRL skips as many tokens as the prompt alone has. The two rules differ only if a token
 * spans the end of the prompt.
 */
export function promptIds(tokenizer: TextTokenizer, prompt: string, completion: string): LearntIds {
  const ids = documentIds(tokenizer, prompt + completion);
  const learnt = new Uint8Array(ids.length);
  return { ids, learnt: learnt.fill(1, commonPrefix(ids, framed(tokenizer, prompt))) };
}

/** The tokens of a prompt and the text after it, without an end of text. The text after the prompt is learned. */
export function followedIds(tokenizer: TextTokenizer, prompt: string, text: string): LearntIds {
  const ids = begun(tokenizer, prompt + text);
  const learnt = new Uint8Array(ids.length);
  return { ids, learnt: learnt.fill(1, commonPrefix(ids, begun(tokenizer, prompt))) };
}

/** The tokens of a text to continue, without an end of text. */
export function begun(tokenizer: TextTokenizer, text: string): Int32Array {
  return concatenated(tokenizer.frame().before, tokenizer.ids(text));
}

function framed(
  tokenizer: TextTokenizer,
  text: string,
  onProgress?: (characters: number) => void,
): Int32Array {
  const { before, after } = tokenizer.frame();
  return concatenated(before, tokenizer.ids(text, onProgress), after);
}

function ended(ids: Int32Array, end: number | undefined): Int32Array {
  return end === undefined || ids.at(-1) === end ? ids : concatenated(ids, Int32Array.of(end));
}
