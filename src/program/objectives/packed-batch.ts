import type { Batch } from '../../input/text/batches.ts';
import type { PackedItems } from '../../input/text/pack.ts';
import type { TokenSequences } from '../../input/text/token-sequences.ts';
import { IGNORED_LABEL } from './labeled-rows.ts';

/** A padded batch of documents with its labels, [batch, length]. The labels are not shifted. */
export type LabeledBatch = Batch & { labels: Int32Array };

/**
 * Builds a batch from packed documents for a decoder. The attention mask numbers the documents of a row from 1, and
 * positions restart with each document. The first token of a document has no label, because the token before it belongs
 * to another document.
 *
 * @param rows which rows of the packing
 */
export function packedBatch(
  { tokens, learnt, starts }: TokenSequences,
  packing: PackedItems,
  rows: Int32Array,
  padId: number,
): LabeledBatch {
  const batch = rows.length;
  const length = rows.reduce((most, row) => Math.max(most, rowLength(starts, packing, row)), 0);
  const matrix = (filler: number) => new Int32Array(batch * length).fill(filler);
  const [inputIds, attentionMask, positionIds] = [matrix(padId), matrix(0), matrix(0)];
  const labels = matrix(IGNORED_LABEL);
  rows.forEach((row, i) => {
    let at = i * length;
    for (let k = packing.starts[row]!; k < packing.starts[row + 1]!; k++) {
      const document = packing.items[k]!;
      const [start, end] = [starts[document]!, starts[document + 1]!];
      inputIds.set(tokens.subarray(start, end), at);
      attentionMask.fill(k - packing.starts[row]! + 1, at, at + end - start);
      for (let position = 0; position < end - start; position++) {
        positionIds[at + position] = position;
        if (position > 0 && learnt[start + position] === 1) labels[at + position] = tokens[start + position]!;
      }
      at += end - start;
    }
  });
  const tokenTypeIds = new Int32Array(batch * length);
  return { inputIds, attentionMask, tokenTypeIds, positionIds, labels, batch, length };
}

/** The number of tokens in a row. */
export function rowLength(starts: Int32Array, packing: PackedItems, row: number): number {
  let length = 0;
  for (let k = packing.starts[row]!; k < packing.starts[row + 1]!; k++) {
    const document = packing.items[k]!;
    length += starts[document + 1]! - starts[document]!;
  }
  return length;
}
