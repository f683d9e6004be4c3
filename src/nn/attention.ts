import { add, matmul, reshape, softmax, transpose } from '../graph/build.ts';
import { type Dimension, multiplyDimensions } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';
import type { Network } from './network.ts';

export interface AttentionShape {
  batch: Dimension;
  heads: number;
  headSize: number;
}

/**
 * Scaled dot-product attention of query, key and value rows [sequence · batch, heads · headSize], sequence-major.
 * In that order the heads of all examples are a plain view [sequence, batch · heads, headSize], whose transposition
 * the engine's product reads in place.
 *
 * @param bias added to the scores: [batch, 1, 1, sequence]
 */
export function attention(
  network: Network,
  [query, key, value]: readonly Value[],
  bias: Value,
  { batch, heads, headSize }: AttentionShape,
  dropout: number,
): Value {
  const all = multiplyDimensions(batch, heads);
  const sequence = bias.shape[3];
  const split = (x: Value) => transpose(reshape(x, [sequence, all, headSize]), [1, 0, 2]);
  const scores = matmul(split(query), split(key), { transposeB: true, scale: 1 / Math.sqrt(headSize) });
  const masked = add(reshape(scores, [batch, heads, sequence, sequence]), bias);
  const weights = network.dropout(softmax(reshape(masked, [all, sequence, sequence])), dropout);
  const mixed = matmul(weights, split(value));
  return reshape(transpose(mixed, [1, 0, 2]), query.shape);
}
