import { Random } from '../support/random.ts';
import type { Batch } from './collate.ts';

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
