import {
  cast,
  constant,
  equal,
  gather,
  greater,
  iota,
  max,
  reshape,
  slice,
  transpose,
  where,
} from '../graph/build.ts';
import { multiplyDimensions } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';

/**
 * The row of hidden states [sequence · batch, width] of each example's last token that is no padding, neither by the
 * mask nor, as transformers tells it, by its id: [batch, width].
 *
 * @param padTokenId undefined: the mask alone says what padding is
 */
export function lastTokens(
  hidden: Value,
  { inputIds, attentionMask }: { inputIds: Value; attentionMask: Value },
  padTokenId: number | undefined,
): Value {
  const { graph } = hidden.node;
  const isReal = greater(transpose(attentionMask, [1, 0]), constant(graph, [0], [], 'int32'));
  return lastRows(hidden, inputIds, (rows, none) => {
    const masked = where(isReal, rows, none);
    if (padTokenId === undefined) return masked;
    return where(equal(inputIds, constant(graph, [padTokenId], [], 'int32')), none, masked);
  });
}

/** The row of each example's last token with the given id; that of its first token where none has it. */
export function lastOfToken(hidden: Value, inputIds: Value, id: number): Value {
  const isWanted = equal(inputIds, constant(hidden.node.graph, [id], [], 'int32'));
  return lastRows(hidden, inputIds, (rows, none) => where(isWanted, rows, none));
}

/** @param choose of the numbers of all rows, [sequence, batch], those that may be it, `none` in place of the others */
function lastRows(hidden: Value, inputIds: Value, choose: (rows: Value, none: Value) => Value): Value {
  const [sequence, batch] = inputIds.shape;
  const numbers = iota(hidden.node.graph, multiplyDimensions(sequence, batch));
  // Numbers of rows are exact in float32, of which the engine takes the largest on every backend.
  const rows = cast(reshape(numbers, [sequence, batch]), 'float32');
  const last = max(choose(rows, slice(rows, 0, 0, 1)), [0]);
  return gather(hidden, cast(last, 'int32'));
}
