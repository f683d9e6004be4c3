import { expect, it } from 'vitest';
import { loadTokenizer } from './node/load-tokenizer.ts';

const LONG = 2 ** 20 + 1;

it('a text may have any length, unless its tokenizer cannot split it', async () => {
  const tokenizer = await loadTokenizer('models/mini', { typeVocabSize: 2 });
  const words = 'a word, '.repeat(LONG / 4);
  expect(tokenizer.encode(words, undefined, 16)).toMatchObject({ truncated: true });
  const commas = ','.repeat(LONG);
  const told = `a text with ",,,,,,,,,,,,,,,,,,,," has ${LONG} characters without a place to split, such as a space; at most 1048576 are allowed. Split it into several rows.`;
  expect(() => tokenizer.encode(commas, undefined, 16)).toThrow(told);
  expect(() => tokenizer.encode(`some words, and ${commas}`, undefined, 16)).toThrow('a text with ",,,');
  expect(() => tokenizer.encodeWithOffsets(commas)).toThrow(told);
});
