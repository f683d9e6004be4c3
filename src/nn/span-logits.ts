import { reshape, transpose } from '../graph/build.ts';
import type { Dimension } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';

/** Scores of every token as start and end of an answer, rows [sequence · batch, 2], as logits [2, batch, sequence]. */
export function spanLogits(
  rows: Value,
  { batch, sequence }: { batch: Dimension; sequence: Dimension },
): Value {
  return transpose(reshape(rows, [sequence, batch, 2]), [2, 1, 0]);
}
