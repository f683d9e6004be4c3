import type { HeadAxis } from '../../../models/heads/head-definition.ts';
import { type HeadKind, headNamed } from '../../../models/heads/registry.ts';

/** Numbers of tokens and labels. */
export interface LogitsSize {
  length: number;
  outputs: number;
}

/**
 * The layout of a batch's logits, [runs, batch, width]. A row with fewer tokens has fewer `runs`, or with fewer labels
 * a smaller `width`.
 */
function findOrder(kind: HeadKind, { length, outputs }: LogitsSize): { runs: number; width: number } {
  const { axes } = headNamed(kind);
  const size = (axis: HeadAxis) => (typeof axis === 'number' ? axis : axis === 'sequence' ? length : outputs);
  const product = (some: readonly HeadAxis[]) => some.map(size).reduce((a, b) => a * b, 1);
  const batch = axes.indexOf('batch');
  return { runs: product(axes.slice(0, batch)), width: product(axes.slice(batch + 1)) };
}

/**
 * Returns a row's logits without padding, [runs, width].
 *
 * @param padded the size of the batch
 */
export function rowLogits(
  kind: HeadKind,
  logits: Float32Array,
  { row, batch }: { row: number; batch: number },
  padded: LogitsSize,
  rowSize: LogitsSize,
): Float32Array {
  const { width: stride } = findOrder(kind, padded);
  const { runs, width: size } = findOrder(kind, rowSize);
  const taken = new Float32Array(runs * size);
  for (let run = 0; run * size < taken.length; run++) {
    const start = (run * batch + row) * stride;
    taken.set(logits.subarray(start, start + size), run * size);
  }
  return taken;
}

/** Joins the logits of rows to a batch that is padded to `length` tokens. Padding is zero. */
export function joinedLogits(
  kind: HeadKind,
  rows: readonly { logits: Float32Array; length: number }[],
  padded: LogitsSize,
): Float32Array {
  const { runs, width: stride } = findOrder(kind, padded);
  const joined = new Float32Array(runs * rows.length * stride);
  for (const [row, { logits, length }] of rows.entries()) {
    const { width: size } = findOrder(kind, { length, outputs: padded.outputs });
    for (let run = 0; run * size < logits.length; run++) {
      joined.set(logits.subarray(run * size, (run + 1) * size), (run * rows.length + row) * stride);
    }
  }
  return joined;
}
