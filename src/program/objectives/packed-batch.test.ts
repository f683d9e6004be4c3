import { expect, it } from 'vitest';
import { IGNORED_LABEL, labeledRows } from './labeled-rows.ts';
import { packedBatch } from './packed-batch.ts';

// Documents 10 11 12, 20 21 and 30 31 32 33. The first two tokens of the last document are a prompt.
const sequences = {
  tokens: Int32Array.of(10, 11, 12, 20, 21, 30, 31, 32, 33),
  learnt: Uint8Array.of(1, 1, 1, 1, 1, 0, 0, 1, 1),
  starts: Int32Array.of(0, 3, 5, 9),
  truncated: 0,
};
const packing = { items: Int32Array.of(0, 1, 2), starts: Int32Array.of(0, 2, 3) };

it('numbers documents, restarts positions, and has no label for first tokens', () => {
  const batch = packedBatch(sequences, packing, Int32Array.of(1, 0), 7);
  expect(batch).toEqual({
    inputIds: Int32Array.of(30, 31, 32, 33, 7, 10, 11, 12, 20, 21),
    attentionMask: Int32Array.of(1, 1, 1, 1, 0, 1, 1, 1, 2, 2),
    positionIds: Int32Array.of(0, 1, 2, 3, 0, 0, 1, 2, 0, 1),
    labels: Int32Array.of(
      IGNORED_LABEL,
      IGNORED_LABEL,
      32,
      33,
      IGNORED_LABEL,
      IGNORED_LABEL,
      11,
      12,
      IGNORED_LABEL,
      21,
    ),
    tokenTypeIds: new Int32Array(10),
    batch: 2,
    length: 5,
  });
  // Sequence-major rows: label_rows holds the row of the token before each label.
  const { label_rows, labels } = labeledRows(batch.labels, 2, 5, true);
  expect([...labels!.data]).toEqual([11, 32, 12, 33, 21]);
  expect([...label_rows!.data]).toEqual([1, 2, 3, 4, 7]);
});
