import { Random } from '../../support/random.ts';
import type { Encoding } from './tokenizer.ts';

/** Inputs of one step. The arrays are [batch, length], row-major. */
export interface Batch {
  inputIds: Int32Array;
  /** 0 for padding and 1 for a token. If several documents share a row, a token has its document's number instead. */
  attentionMask: Int32Array;
  tokenTypeIds: Int32Array;
  /** Set if positions do not count from 0. */
  positionIds?: Int32Array;
  /** The decoder's input in an encoder-decoder, [batch, length]. */
  decoder?: { inputIds: Int32Array; length: number };
  batch: number;
  length: number;
}

/**
 * Pads encodings at the end with `padId`, to the length of the longest. A batch has one column at least, because the
 * engine has no tensors of length 0: texts without tokens are padding.
 */
export function collate(encodings: readonly Encoding[], padId: number): Batch {
  const batch = encodings.length;
  const length = encodings.reduce((most, { inputIds }) => Math.max(most, inputIds.length), 1);
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

/** Rows of random tokens without padding. Equal streams give equal tokens. */
export function randomBatch(vocabSize: number, batch: number, length: number, stream: string): Batch {
  const random = new Random(0, stream);
  const size = batch * length;
  return {
    inputIds: Int32Array.from({ length: size }, () => random.integer(vocabSize)),
    attentionMask: new Int32Array(size).fill(1),
    tokenTypeIds: new Int32Array(size),
    batch,
    length,
  };
}
