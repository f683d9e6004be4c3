import { expect, it } from 'vitest';
import type { TextTokenizer } from '../../input/text/tokenizer.ts';
import { ALONE } from '../../program/parallel/communicator.ts';
import { encodeRows } from './encode-rows.ts';

const encoded: string[] = [];
const tokenizer = {
  encode(text: string, textPair: string | undefined, maxLength: number) {
    encoded.push(text);
    const ids = Int32Array.from(`${text}${textPair ?? ''}`, (letter) => letter.charCodeAt(0));
    const inputIds = ids.slice(0, maxLength);
    return {
      inputIds,
      tokenTypeIds: inputIds.map((_, i) => Number(i >= text.length)),
      truncated: ids.length > maxLength,
    };
  },
} as unknown as TextTokenizer;
const rows = Array.from({ length: 6001 }, (_, i) => ({
  text: `${i}`,
  ...(i % 2 && { textPair: `of ${i}` }),
}));

/** The bytes that a process contributes to its only gather. */
function given(rank: number): Uint8Array {
  let bytes = new Uint8Array();
  const gather = (own: Uint8Array) => {
    bytes = own.slice();
    throw new Error('heard');
  };
  expect(() => encodeRows(rows, tokenizer, 7, { ...ALONE, rank, size: 3, gather })).toThrow('heard');
  return bytes;
}

it('encodes its part of many rows, and gets the same for the rest from others', () => {
  const all = [0, 1, 2].map(given);
  encoded.length = 0;
  const together = encodeRows(rows, tokenizer, 7, { ...ALONE, rank: 1, size: 3, gather: () => all });
  expect(encoded).toHaveLength(2000);
  expect(together).toEqual(encodeRows(rows, tokenizer, 7));
});

it('fails if another process failed', () => {
  const all = [given(0), given(1), new Uint8Array(4)];
  const communicator = { ...ALONE, size: 3, gather: () => all };
  expect(() => encodeRows(rows, tokenizer, 7, communicator)).toThrow('process 2 could not encode its rows');
});
