import { add, gather, matmul, reshape, slice, transpose, where } from '../../../engine/graph/build.ts';
import {
  addDimensions,
  type Dimension,
  multiplyDimensions,
  sameDimension,
} from '../../../engine/graph/dimension.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { mixedValues, queryKeyValue } from '../../nn/attention.ts';
import type { Network } from '../../nn/network.ts';
import type { DebertaV2Config } from './config.ts';

/** The score of a masked pair. Its exponential is 0. If a whole row is masked, its weights are equal. */
const BLOCKED = -1e30;

/** Inputs of attention that are the same in all layers. */
export interface AttentionContext {
  /** Which queries see which keys: bool [batch, 1, sequence, sequence]. */
  visible: Value;
  /** Undefined if no layer uses relative positions. */
  relative: RelativeEmbeddings | undefined;
  batch: Dimension;
}

/** Relative positions, which all layers share. */
export interface RelativeEmbeddings {
  /** [rows, hidden] */
  table: Value;
  /** The table's rows for the distances q - k = sequence - 1, …, -sequence: int32 [2 · sequence]. */
  falling: Value;
  /** The table's rows for the distances 1 - sequence, …, sequence: int32 [2 · sequence]. */
  rising: Value;
}

/**
 * The module `attention.self`: disentangled attention (He et al., 2021) over rows [sequence · batch, hidden],
 * sequence-major.
 *
 * Two terms are added to the product of query and key: the query times the relative position's key (c2p), and
 * the key times the relative position's query (p2c). A relative position depends only on q - k. So each query
 * is multiplied by all 2 · sequence relative positions, and {@link skew} moves the products to their keys.
 *
 * @param asked the hidden states used as queries: all, or those of the first tokens
 * @returns rows with the shape of `asked`
 */
export function disentangledAttention(
  module: Network,
  config: DebertaV2Config,
  hidden: Value,
  asked: Value,
  { visible, relative, batch }: AttentionContext,
): Value {
  const { hidden_size: width, num_attention_heads: heads, share_att_key: shared } = config;
  const headSize = width / heads;
  const has = (kind: 'c2p' | 'p2c') => config.pos_att_type.includes(kind);
  // As in transformers, the scale counts these terms even if relative attention is off.
  const terms = 1 + Number(has('c2p')) + Number(has('p2c'));
  const options = { transposeB: true, scale: 1 / Math.sqrt(headSize * terms) };
  // Reshapes [tokens · batch, hidden] to [batch, heads, tokens, headSize], without a copy.
  const split = (rows: Value, tokens: Dimension) => {
    const examples = sameDimension(rows.shape[0]!, tokens) ? 1 : batch;
    return transpose(reshape(rows, [tokens, examples, heads, headSize]), [1, 2, 0, 3]);
  };
  const sequence = visible.shape[3]!;
  const isWhole = asked === hidden;
  const names = ['query_proj', 'key_proj', 'value_proj'] as const;
  const parts = queryKeyValue(module, names, { hidden, asked }, width);
  const query = split(parts[0], isWhole ? sequence : 1);
  const [key, value] = parts.slice(1).map((rows) => split(rows, sequence)) as [Value, Value];

  let scores = matmul(query, key, options);
  if (relative) {
    const table = module.dropout(relative.table, config.hidden_dropout_prob);
    const positions = (projection: string, rows: Value) =>
      split(module.linear(projection, gather(table, rows), width), rows.shape[0]!);
    if (has('c2p')) {
      // The distances of the first token to all keys: 0, -1, …, 1 - sequence.
      const start = addDimensions(sequence, -1);
      const ofLength = () => slice(relative.falling, 0, start, addDimensions(start, sequence));
      const rows = isWhole ? relative.falling : ofLength();
      const products = matmul(query, positions(shared ? 'key_proj' : 'pos_key_proj', rows), options);
      scores = add(scores, isWhole ? skew(products) : products);
    }
    if (has('p2c')) {
      const queries = positions(shared ? 'query_proj' : 'pos_query_proj', relative.rising);
      const products = skew(matmul(key, queries, options), isWhole ? sequence : 1);
      scores = add(scores, transpose(products, [0, 1, 3, 2]));
    }
  }
  const seen = isWhole ? visible : slice(visible, 2, 0, 1);
  const masked = where(seen, scores, BLOCKED);
  const mixed = mixedValues(module, masked, value, config.attention_probs_dropout_prob);
  return reshape(transpose(mixed, [2, 0, 1, 3]), asked.shape);
}

/**
 * Shifts row i of the last two axes [n, 2n] left by n - 1 - i and keeps the first columns: y[i, j] = x[i, n -
 * 1 - i + j]. In a flat view that starts at x[0, n - 1], row i starts at i · (2n - 1), so slices and reshapes
 * suffice.
 */
export function skew(x: Value, kept: Dimension = x.shape[2]!): Value {
  const [batch, heads, n, columns] = x.shape as [Dimension, Dimension, Dimension, Dimension];
  const step = addDimensions(columns, -1);
  const start = addDimensions(n, -1);
  const run = reshape(x, [batch, heads, multiplyDimensions(n, columns)]);
  const shifted = slice(run, 2, start, addDimensions(start, multiplyDimensions(n, step)));
  return slice(reshape(shifted, [batch, heads, n, step]), 3, 0, kept);
}
