import type { HeadKind } from '../../models/model-definition.ts';

/** Heads that answer about texts. */
export type RowHeadKind = Extract<HeadKind, 'SEQ_CLS' | 'TOKEN_CLS' | 'QUESTION_ANS'>;

/** A batch's logits are [runs, batch, width]; a row of few tokens, or of few labels, has a part of each. */
interface Order {
  runs(length: number): number;
  width(length: number, outputs: number): number;
}

const ORDERS: Readonly<Record<RowHeadKind, Order>> = {
  SEQ_CLS: { runs: () => 1, width: (_, outputs) => outputs },
  TOKEN_CLS: { runs: (length) => length, width: (_, outputs) => outputs },
  QUESTION_ANS: { runs: () => 2, width: (length) => length },
};

/** Tokens and labels. */
export interface LogitsSize {
  length: number;
  outputs: number;
}

/**
 * A row's own logits, [runs, width] by its own size.
 *
 * @param padded the size of the batch
 */
export function rowLogits(
  kind: RowHeadKind,
  logits: Float32Array,
  { row, batch }: { row: number; batch: number },
  padded: LogitsSize,
  own: LogitsSize,
): Float32Array {
  const { runs, width } = ORDERS[kind];
  const [stride, size] = [width(padded.length, padded.outputs), width(own.length, own.outputs)];
  const taken = new Float32Array(runs(own.length) * size);
  for (let run = 0; run * size < taken.length; run++) {
    const start = (run * batch + row) * stride;
    taken.set(logits.subarray(start, start + size), run * size);
  }
  return taken;
}

/** The logits of rows as those of one batch that is padded to `length` tokens; the rest is zero. */
export function joinedLogits(
  kind: RowHeadKind,
  rows: readonly { logits: Float32Array; length: number }[],
  { length, outputs }: LogitsSize,
): Float32Array {
  const { runs, width } = ORDERS[kind];
  const stride = width(length, outputs);
  const joined = new Float32Array(runs(length) * rows.length * stride);
  for (const [row, { logits, length: own }] of rows.entries()) {
    const size = width(own, outputs);
    for (let run = 0; run * size < logits.length; run++) {
      joined.set(logits.subarray(run * size, (run + 1) * size), (run * rows.length + row) * stride);
    }
  }
  return joined;
}
