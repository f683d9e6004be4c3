import {
  cast,
  constant,
  equal,
  gather,
  greater,
  iota,
  multiply,
  reshape,
  slice,
  subtract,
  transpose,
  where,
} from '../../engine/graph/build.ts';
import { addDimensions, type Dimension, multiplyDimensions } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';

/** Added to masked scores. After the exponential they are 0, and no sum becomes infinite. */
const BLOCKED = -1e30;

/** The bias that masks padding, [batch, 1, 1, keys]. `mask` [batch, keys] is 0 for padding. */
export function attentionBias(mask: Value): Value {
  const [batch, keys] = mask.shape as [Dimension, Dimension];
  const real = greater(cast(mask, 'float32'), 0);
  return reshape(where(real, 0, BLOCKED), [batch, 1, 1, keys]);
}

/** The bias that lets a token see only itself and earlier tokens: [1, 1, queries, keys]. */
export function causalBias(like: Value, queries: Dimension, keys: Dimension): Value {
  const { later } = distances(like, queries, keys);
  return where(later, BLOCKED, 0);
}

/**
 * The bias that lets a token see only tokens at most `reach` positions away, before or after it: [1, 1, keys, keys].
 */
export function windowBias(mask: Value, reach: number): Value {
  const keys = mask.shape[1]!;
  const { distance } = distances(mask, keys, keys);
  return where(greater(multiply(distance, distance), reach ** 2), BLOCKED, 0);
}

/**
 * The bias of a decoder. A token sees itself and the earlier tokens of its document, except padding. With `window`, it
 * sees only the last `window` of them. If a cache provides earlier keys, the queries are the last keys. Padding sees
 * the earlier tokens of all documents, as in transformers, because some losses read all positions.
 *
 * @param mask int32 [batch, keys]: 0 for padding, otherwise the number of the token's document
 * @returns [batch, 1, queries, keys]
 */
export function decoderBias(mask: Value, queries: Dimension, window?: number): Value {
  const [batch, keys] = mask.shape as [Dimension, Dimension];
  const { graph } = mask.node;
  const { later, distance } = distances(mask, queries, keys);
  const first = addDimensions(keys, negative(queries));
  const documents = reshape(slice(mask, 1, first, keys), [batch, 1, queries, 1]);
  const asked = reshape(mask, [batch, 1, 1, keys]);
  const padding = constant(graph, [0], [], 'int32');
  const elsewhere = where(greater(documents, padding), BLOCKED, 0);
  const together = where(equal(documents, asked), 0, elsewhere);
  const real = where(greater(asked, padding), together, BLOCKED);
  const causal = where(later, BLOCKED, real);
  return window === undefined ? causal : where(greater(distance, window - 1), BLOCKED, causal);
}

/** The distance from each key to each query, [1, 1, queries, keys], and whether the key comes after the query. */
function distances(like: Value, queries: Dimension, keys: Dimension): { later: Value; distance: Value } {
  const { graph } = like.node;
  const positions = iota(graph, keys);
  const ofQueries = reshape(slice(positions, 0, addDimensions(keys, negative(queries)), keys), [
    1,
    1,
    queries,
    1,
  ]);
  const ofKeys = reshape(positions, [1, 1, 1, keys]);
  return {
    later: greater(ofKeys, ofQueries),
    distance: subtract(cast(ofQueries, 'float32'), cast(ofKeys, 'float32')),
  };
}

function negative(size: Dimension): Dimension {
  return multiplyDimensions(size, -1);
}

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
