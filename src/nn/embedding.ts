import { gather, multiply, reshape } from '../graph/build.ts';
import { sizeOf } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';
import type { Network } from './network.ts';

/**
 * Returns the {@link embedding} of a model's tokens, int32 [tokens, batch], times `scale`. Only word embeddings get
 * NEFTune's noise.
 */
export function wordEmbedding(
  module: Network,
  table: readonly [number, number],
  ids: Value,
  { padding, scale = 1 }: { padding?: number | null; scale?: number } = {},
): Value {
  const words = multiply(embedding(module, table, ids, padding), scale);
  return module.noise(words, ids.shape[0]);
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
  return gather(table, reshape(ids, [sizeOf(ids.shape)]), row ?? undefined);
}
