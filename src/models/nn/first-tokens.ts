import { slice } from '../../engine/graph/build.ts';
import type { Dimension } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';

/** Returns the hidden states of every example's first token, [batch, width]: the first rows in sequence-major order. */
export function firstTokens(hidden: Value, { batch }: { batch: Dimension }): Value {
  return slice(hidden, 0, 0, batch);
}
