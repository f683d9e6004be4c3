import type { TextTokenizer } from '../../../src/input/text/tokenizer.ts';

/** The tokens of a text, and the number of tokens of each word. */
export interface WordTokens {
  tokens: number[];
  lengths: number[];
}

const starts = new WeakMap<TextTokenizer, Uint8Array>();

/** Tokenizes a text and counts the tokens of each word. */
export function wordTokens(tokenizer: TextTokenizer, text: string): WordTokens {
  const isStart = starts.get(tokenizer) ?? tokenizer.wordStarts();
  starts.set(tokenizer, isStart);
  const tokens = Array.from(tokenizer.ids(text));
  const lengths: number[] = [];
  tokens.forEach((token, at) => {
    if (at === 0 || isStart[token] === 1) lengths.push(1);
    else lengths[lengths.length - 1]!++;
  });
  return { tokens, lengths };
}
