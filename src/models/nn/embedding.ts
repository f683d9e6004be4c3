import { expand, gather, multiply, reshape, slice } from '../../engine/graph/build.ts';
import {
  addDimensions,
  type Dimension,
  dimensionSize,
  multiplyDimensions,
} from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { Network } from './network.ts';

/** Rows [tokens, width] that are the same for every text of a batch: [tokens · batch, width]. */
export function forEveryText(rows: Value, batch: Dimension): Value {
  const [tokens, width] = rows.shape as [Dimension, Dimension];
  const every = expand(reshape(rows, [tokens, 1, width]), [tokens, batch, width]);
  return reshape(every, [multiplyDimensions(tokens, batch), width]);
}

/**
 * Returns the {@link embedding} of a model's tokens, int32 [tokens, batch], times `scale`.
 */
export function wordEmbedding(
  module: Network,
  table: readonly [number, number],
  ids: Value,
  { padding, scale = 1 }: { padding?: number | null; scale?: number } = {},
): Value {
  module.wordTables.add(module.pathOf('weight'));
  return multiply(embedding(module, table, ids, padding), scale);
}

/**
 * Returns the rows of the module's table `weight` [rows, width] for int32 ids of any shape: [ids, width].
 *
 * @param padding the row that gets no gradient, counted from the end if negative (PyTorch's `padding_idx`)
 */
export function embedding(
  module: Network,
  [rows, width]: readonly [number, number],
  ids: Value,
  padding?: number | null,
): Value {
  const table = module.parameter('weight', [rows, width]);
  const row = padding == null || padding >= 0 ? padding : rows + padding;
  return gather(table, reshape(ids, [dimensionSize(ids.shape)]), row ?? undefined);
}

/**
 * Looks up consecutive rows of the module's table `weight`, from row `first` on: one per position, the same for every
 * example. Returns [sequence · batch, width].
 */
export function absolutePositions(
  module: Network,
  [rows, width]: readonly [number, number],
  { batch, sequence }: { batch: Dimension; sequence: Dimension },
  first: Dimension = 0,
): Value {
  const table = module.parameter('weight', [rows, width]);
  const used = slice(table, 0, first, addDimensions(first, sequence));
  return forEveryText(used, batch);
}
