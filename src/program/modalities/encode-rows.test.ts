import { expect, it } from 'vitest';
import { ALONE } from '../parallel/communicator.ts';
import { encodeRows } from './encode-rows.ts';
import type { PartRow } from './modality.ts';

const encoded: string[] = [];
function encode({ text, textPair }: PartRow) {
  encoded.push(text);
  const ids = Int32Array.from(`${text}${textPair ?? ''}`, (letter) => letter.charCodeAt(0));
  const inputIds = ids.slice(0, 7);
  return {
    inputIds,
    tokenTypeIds: inputIds.map((_, i) => Number(i >= text.length)),
    truncated: ids.length > 7,
  };
}
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
  expect(() => encodeRows(rows, encode, { ...ALONE, rank, size: 3, gather })).toThrow('heard');
  return bytes;
}

it('encodes its part of many rows, and gets the same for the rest from others', () => {
  const all = [0, 1, 2].map(given);
  encoded.length = 0;
  const together = encodeRows(rows, encode, { ...ALONE, rank: 1, size: 3, gather: () => all });
  expect(encoded).toHaveLength(2000);
  expect(together).toEqual(encodeRows(rows, encode));
});

it('fails if another process failed', () => {
  const all = [given(0), given(1), new Uint8Array(4)];
  const communicator = { ...ALONE, size: 3, gather: () => all };
  expect(() => encodeRows(rows, encode, communicator)).toThrow('process 2 could not encode its rows');
});
