import type { Encoding } from './tokenizer.ts';

/** Inputs of one step; the arrays are [batch, length], row after row. */
export interface Batch {
  inputIds: Int32Array;
  /** 1 for a token, 0 for padding. */
  attentionMask: Int32Array;
  tokenTypeIds: Int32Array;
  batch: number;
  length: number;
}

/** Pads encodings to the longest of them, or to the next multiple of `multipleOf`, with `padId` at the end. */
export function collate(encodings: readonly Encoding[], padId: number, multipleOf = 1): Batch {
  const batch = encodings.length;
  const longest = encodings.reduce((most, { inputIds }) => Math.max(most, inputIds.length), 0);
  const length = Math.ceil(longest / multipleOf) * multipleOf;
  const inputIds = new Int32Array(batch * length).fill(padId);
  const attentionMask = new Int32Array(batch * length);
  const tokenTypeIds = new Int32Array(batch * length);
  encodings.forEach((encoding, row) => {
    const start = row * length;
    inputIds.set(encoding.inputIds, start);
    attentionMask.fill(1, start, start + encoding.inputIds.length);
    tokenTypeIds.set(encoding.tokenTypeIds, start);
  });
  return { inputIds, attentionMask, tokenTypeIds, batch, length };
}
