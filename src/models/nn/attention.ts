import {
  add,
  matmul,
  multiply,
  reshape,
  softmax,
  stopGradient,
  subtract,
  sum,
  transpose,
  watch,
} from '../../engine/graph/build.ts';
import { type Dimension, multiplyDimensions } from '../../engine/graph/dimension.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { Network } from './network.ts';

/**
 * Projects hidden states to the queries, keys and values of attention: rows of the given width.
 *
 * @param modules paths of the modules for queries, keys and values
 * @param asked the rows of `hidden` that become queries, or all of them
 */
export function queryKeyValue(
  network: Network,
  [query, key, value]: readonly [string, string, string],
  { hidden, asked }: { hidden: Value; asked: Value },
  width: number,
): [Value, Value, Value] {
  // One group if all read the same input, because a tuner shares work within a group.
  if (asked === hidden) return network.linearGroup([query, key, value], hidden, [width, width, width]);
  return [network.linear(query, asked, width), ...network.linearGroup([key, value], hidden, [width, width])];
}

export interface AttentionOptions {
  batch: Dimension;
  /** The number of query tokens. */
  queries: Dimension;
  /** The number of keys. Default: the bias's last axis. */
  keys?: Dimension;
  heads: number;
  headSize: number;
  /**
   * Number of key and value heads. If there are fewer than query heads, consecutive query heads share a key head
   * (grouped-query attention).
   */
  keyValueHeads?: number;
  /** The probability that an attention weight is dropped in training. */
  dropout: number;
  /** Factor of the scores. Default: 1 / √headSize. */
  scale?: number;
  /** Changes the scaled scores [batch, heads, queries, keys] before the bias is added. */
  adjust?: (scores: Value) => Value;
}

/**
 * Scaled dot-product attention of query, key and value rows [tokens · batch, heads · headSize], sequence-major. In that
 * order, [tokens, batch · heads, headSize] is a view of all heads, and the engine's product reads its transpose in
 * place. Query heads that share a key head are multiplied with it in one product. So keys and values are neither
 * repeated nor read twice. Cached keys and values may already be split into heads: [batch · heads, tokens, headSize].
 *
 * @param bias added to the scores: [batch | 1, heads | 1, queries | 1, keys]. Undefined if every query reads every key
 * @returns rows of the query's shape
 */
export function attention(
  network: Network,
  [query, key, value]: readonly [Value, Value, Value],
  bias: Value | undefined,
  options: AttentionOptions,
): Value {
  const { batch, queries, heads, headSize, keyValueHeads = heads } = options;
  const { dropout, scale = 1 / Math.sqrt(headSize), adjust = (scores) => scores } = options;
  const groups = multiplyDimensions(batch, keyValueHeads);
  const times = heads / keyValueHeads;
  const keys = options.keys ?? bias!.shape[3]!;
  const split = (x: Value, tokens: Dimension) =>
    x.shape.length === 3 ? x : transpose(reshape(x, [tokens, groups, headSize]), [1, 0, 2]);
  const asking =
    times === 1 ? split(query, queries) : gatherGroups(query, [queries, groups, times, headSize]);
  const scores = matmul(asking, split(key, keys), { transposeB: true, scale });
  const masked = add(adjust(reshape(scores, [batch, heads, queries, keys])), bias ?? 0);
  const mixed = mixedValues(network, reshape(masked, scores.shape), split(value, keys), dropout);
  const answers =
    times === 1
      ? transpose(mixed, [1, 0, 2])
      : transpose(reshape(mixed, [groups, times, queries, headSize]), [2, 0, 1, 3]);
  return reshape(answers, query.shape);
}

/**
 * softmax(scores) · values, with dropout on the weights. The gradient of the scores needs the sum of g · w over the
 * weights w of a query and their gradients g. It equals the sum of g · x over the output x of that query and its
 * gradient, which are much shorter with many keys (Dao et al., FlashAttention, 2022, appendix B.2).
 *
 * @param scores [..., queries, keys]
 * @param values [..., keys, headSize]
 */
export function mixedValues(network: Network, scores: Value, values: Value, dropout: number): Value {
  const weights = softmax(scores);
  const kept = network.dropout(weights, dropout);
  const mixed = matmul(kept, values);
  const read = [weights, kept, values, mixed];
  const withScores = watch(stopGradient(mixed), scores, read, (gradient, [weights, kept, values, mixed]) => {
    const slopes = matmul(gradient, values, { transposeB: true });
    const total = sum(multiply(gradient, mixed), [mixed.shape.length - 1], true);
    if (kept === weights) return multiply(weights, subtract(slopes, total));
    return subtract(multiply(kept, slopes), multiply(weights, total));
  });
  return watch(withScores, values, [kept], (gradient, [kept]) =>
    matmul(kept, gradient, { transposeA: true }),
  );
}

/** Reshapes query rows, viewed with the given shape, to [groups, times · queries, headSize]. */
function gatherGroups(rows: Value, shape: readonly Dimension[]): Value {
  const [queries, groups, times, headSize] = shape as [Dimension, Dimension, Dimension, Dimension];
  const byGroup = transpose(reshape(rows, shape), [1, 2, 0, 3]);
  return reshape(byGroup, [groups, multiplyDimensions(times, queries), headSize]);
}
