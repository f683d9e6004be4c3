import { add, expand, matmul, reshape, softmax, transpose } from '../graph/build.ts';
import { type Dimension, multiplyDimensions } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';
import type { Network } from './network.ts';

export interface AttentionShape {
  batch: Dimension;
  /** Tokens that ask; those that are asked are the last axis of the bias. */
  queries: Dimension;
  heads: number;
  headSize: number;
  /** Fewer heads of keys and values, each shared by as many heads in a row (grouped-query attention). */
  keyValueHeads?: number;
}

export interface AttentionOptions {
  dropout: number;
  /** Of the scores; 1 / √headSize where it is not given. */
  scale?: number;
  /** Changes the scaled scores [batch, heads, queries, keys] before the bias is added. */
  adjust?: (scores: Value) => Value;
}

/**
 * Scaled dot-product attention of query, key and value rows [tokens · batch, heads · headSize], sequence-major.
 * In that order the heads of all examples are a plain view [tokens, batch · heads, headSize], whose transposition
 * the engine's product reads in place.
 *
 * @param bias added to the scores: [batch | 1, heads | 1, queries | 1, keys]
 */
export function attention(
  network: Network,
  [query, key, value]: readonly Value[],
  bias: Value,
  { batch, queries, heads, headSize, keyValueHeads = heads }: AttentionShape,
  { dropout, scale = 1 / Math.sqrt(headSize), adjust = (scores) => scores }: AttentionOptions,
): Value {
  const all = multiplyDimensions(batch, heads);
  const keys = bias.shape[3];
  const split = (x: Value, tokens: Dimension) => transpose(reshape(x, [tokens, all, headSize]), [1, 0, 2]);
  const shared = (x: Value) => repeatHeads(x, [keys, batch, keyValueHeads, headSize], heads / keyValueHeads);
  const scores = matmul(split(query, queries), split(shared(key), keys), { transposeB: true, scale });
  const masked = add(adjust(reshape(scores, [batch, heads, queries, keys])), bias);
  const weights = network.dropout(softmax(reshape(masked, [all, queries, keys])), dropout);
  const mixed = matmul(weights, split(shared(value), keys));
  return reshape(transpose(mixed, [1, 0, 2]), query.shape);
}

/** Repeats every head `times` times in a row; changes nothing where each has its own. */
function repeatHeads(x: Value, [tokens, batch, heads, headSize]: readonly Dimension[], times: number): Value {
  if (times === 1) return x;
  const single = reshape(x, [tokens, batch, heads, 1, headSize]);
  return expand(single, [tokens, batch, heads, times, headSize]);
}
