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
} from '../../engine/graph/build.ts';
import { type Dimension, multiplyDimensions } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';

/** Returns the hidden states of every example's first token, [batch, width]: the first rows in sequence-major order. */
export function firstTokens(hidden: Value, { batch }: { batch: Dimension }): Value {
  return slice(hidden, 0, 0, batch);
}

/**
 * Selects rows of hidden states [tokens · batch, width], so that only those that are read are computed further.
 *
 * @param rows int32 [n]: the numbers of the rows; undefined for all
 */
export function selectRows(hidden: Value, rows: Value | undefined): Value {
  return rows ? gather(hidden, rows) : hidden;
}

/** The inputs that say which tokens are padding. */
interface Tokens {
  inputIds: Value;
  attentionMask: Value;
}

/**
 * The number of each example's last token that is not padding, among hidden states [sequence · batch, width]: int32
 * [batch]. As in transformers, padding is every masked token and every token with the padding id.
 *
 * @param padTokenId undefined if only the mask marks padding
 */
export function lastTokenRows({ inputIds, attentionMask }: Tokens, padTokenId: number | undefined): Value {
  const { graph } = inputIds.node;
  const isReal = greater(transpose(attentionMask, [1, 0]), constant(graph, [0], [], 'int32'));
  return lastRows(inputIds, (rows, none) => {
    const masked = where(isReal, rows, none);
    if (padTokenId === undefined) return masked;
    return where(equal(inputIds, constant(graph, [padTokenId], [], 'int32')), none, masked);
  });
}

/** Selects each example's last token with the given id, [batch, width]. Without such a token, selects the first token. */
export function lastOfToken(hidden: Value, inputIds: Value, id: number): Value {
  const isWanted = equal(inputIds, constant(hidden.node.graph, [id], [], 'int32'));
  return gather(
    hidden,
    lastRows(inputIds, (rows, none) => where(isWanted, rows, none)),
  );
}

/**
 * The number of the last qualifying row of each example.
 *
 * @param choose takes the numbers of all rows, [sequence, batch], and replaces the numbers of unqualified rows by
 * `none`
 */
function lastRows(inputIds: Value, choose: (rows: Value, none: Value) => Value): Value {
  const [sequence, batch] = inputIds.shape;
  const numbers = iota(inputIds.node.graph, multiplyDimensions(sequence!, batch!));
  // In float32, because not every backend has a maximum of integers. It represents row numbers exactly.
  const rows = cast(reshape(numbers, [sequence!, batch!]), 'float32');
  return cast(max(choose(rows, slice(rows, 0, 0, 1)), [0]), 'int32');
}
