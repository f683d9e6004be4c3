import { gather, reshape, transpose } from '../graph/build.ts';
import { multiplyDimensions } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';

/**
 * The bias of the asked queries.
 *
 * @param bias [batch, 1, queries, keys]
 * @param asked int32 [batch]: for each example, the number of a row among [queries · batch]
 * @returns [batch, 1, 1, keys]; without numbers, the bias
 */
export function askedBias(bias: Value, asked: Value | undefined): Value {
  if (!asked) return bias;
  const [batch, , queries, keys] = bias.shape;
  const byQuery = transpose(reshape(bias, [batch!, queries!, keys!]), [1, 0, 2]);
  const rows = reshape(byQuery, [multiplyDimensions(queries!, batch!), keys!]);
  return reshape(gather(rows, asked), [batch!, 1, 1, keys!]);
}
