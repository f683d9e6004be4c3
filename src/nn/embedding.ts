import { gather, reshape } from '../graph/build.ts';
import { sizeOf } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';
import type { Network } from './network.ts';

/**
 * The rows of the table `path.weight` [rows, width] that int32 ids of any shape name: [ids, width].
 *
 * @param padding the row that takes no gradient, counted from the end where negative: PyTorch's `padding_idx`
 */
export function embedding(
  network: Network,
  path: string,
  [rows, width]: readonly [number, number],
  ids: Value,
  padding?: number | null,
): Value {
  const table = network.parameter(`${path}.weight`, [rows, width]);
  const row = padding == null || padding >= 0 ? padding : rows + padding;
  return gather(table, reshape(ids, [sizeOf(ids.shape)]), row ?? undefined);
}
