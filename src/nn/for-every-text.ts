import { expand, reshape } from '../graph/build.ts';
import { type Dimension, multiplyDimensions } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';

/** Rows [tokens, width] that are the same for every text of a batch: [tokens · batch, width]. */
export function forEveryText(rows: Value, batch: Dimension): Value {
  const [tokens, width] = rows.shape as [Dimension, Dimension];
  const every = expand(reshape(rows, [tokens, 1, width]), [tokens, batch, width]);
  return reshape(every, [multiplyDimensions(tokens, batch), width]);
}
