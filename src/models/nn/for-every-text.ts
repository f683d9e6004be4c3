import { expand, reshape } from '../../engine/graph/build.ts';
import { type Dimension, multiplyDimensions } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';

/** Rows [tokens, width] that are the same for every text of a batch: [tokens · batch, width]. */
export function forEveryText(rows: Value, batch: Dimension): Value {
  const [tokens, width] = rows.shape as [Dimension, Dimension];
  const every = expand(reshape(rows, [tokens, 1, width]), [tokens, batch, width]);
  return reshape(every, [multiplyDimensions(tokens, batch), width]);
}
