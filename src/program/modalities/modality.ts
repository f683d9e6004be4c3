import type { Tensors } from '../../engine/runtime/session.ts';

/** One row of a batch without padding. */
export interface RowInputs {
  /** Its number of tokens, by which its cost is estimated. */
  readonly length: number;
}

/** How batches are taken apart and joined, so that rows of several requests can share one. */
export interface BatchForm<Row extends RowInputs = RowInputs> {
  rowsOf(feeds: Tensors): Row[];
  joined(rows: readonly Row[]): Tensors;
}
