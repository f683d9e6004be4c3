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
 * Of hidden states [sequence · batch, width], those of each example's last token that is not padding: [batch, width].
 * Padding is what the mask leaves out and also, as in transformers, every token with the id of padding.
 *
 * @param padTokenId undefined where the mask alone tells what padding is
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

/** Of hidden states, those of each example's last token with the given id, or of its first token where none has it. */
export function lastOfToken(hidden: Value, inputIds: Value, id: number): Value {
  const isWanted = equal(inputIds, constant(hidden.node.graph, [id], [], 'int32'));
  return lastRows(hidden, inputIds, (rows, none) => where(isWanted, rows, none));
}

/**
 * Of hidden states, the last row of each example that qualifies, [batch, width].
 *
 * @param choose takes the numbers of all rows, [sequence, batch], and puts `none` in place of rows that do not qualify
 */
function lastRows(hidden: Value, inputIds: Value, choose: (rows: Value, none: Value) => Value): Value {
  const [sequence, batch] = inputIds.shape;
  const numbers = iota(hidden.node.graph, multiplyDimensions(sequence, batch));
  // In float32, which holds the numbers of rows exactly: every backend finds the largest of floats.
  const rows = cast(reshape(numbers, [sequence, batch]), 'float32');
  const last = max(choose(rows, slice(rows, 0, 0, 1)), [0]);
  return gather(hidden, cast(last, 'int32'));
}
