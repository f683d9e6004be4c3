import type { Dimension } from '../graph/dimension.ts';
import type { Value } from '../graph/graph.ts';
import { attention } from './attention.ts';
import { decoderBias } from './attention-bias.ts';
import type { KeyValueCache } from './key-value-cache.ts';
import type { Network } from './network.ts';
import { type Rotary, rotate, rotation } from './rotary.ts';

/** Of a model's inputs those that attention reads. */
interface DecoderInputs {
  /** int32 [sequence, batch] */
  positionIds: Value;
  /** int32 [batch, keys] */
  attentionMask: Value;
  batch: Dimension;
  sequence: Dimension;
  cache?: KeyValueCache;
}

export interface DecoderAttentionOptions {
  heads: number;
  keyValueHeads: number;
  headSize: number;
  rotary: Rotary;
  /** How many tokens each sees, itself included; all before it where not given. */
  window?: number;
  /** Whether the projections of queries, keys and values have one. */
  bias?: boolean;
  outputBias?: boolean;
  /** Normalises queries and keys before they are turned, with the module `q_norm` or `k_norm`. */
  normalise?: (module: Network, rows: Value) => Value;
  dropout: number;
  scale?: number;
  adjust?: (scores: Value) => Value;
}

/** Causal self-attention with rotary positions over rows x [sequence · batch, width], and what the cache holds. */
export function decoderAttention(
  module: Network,
  x: Value,
  { positionIds, attentionMask, batch, sequence, cache }: DecoderInputs,
  options: DecoderAttentionOptions,
): Value {
  const { heads, keyValueHeads, headSize, bias = false, outputBias = false } = options;
  const { normalise = (_, rows) => rows, dropout, scale, adjust } = options;
  const [query, key, value] = module.linearGroup(
    ['q_proj', 'k_proj', 'v_proj'],
    x,
    [heads, keyValueHeads, keyValueHeads].map((count) => count * headSize),
    { bias },
  );
  const angles = rotation(positionIds, options.rotary);
  const placed = (norm: string, rows: Value) => rotate(normalise(module.at(norm), rows), angles);
  const remembered = (name: string, rows: Value) =>
    cache?.extend(module.pathOf(name), rows, sequence) ?? rows;
  const mixed = attention(
    module,
    [placed('q_norm', query), remembered('key', placed('k_norm', key)), remembered('value', value)],
    decoderBias(attentionMask, sequence, options.window),
    { batch, queries: sequence, heads, headSize, keyValueHeads, dropout, scale, adjust },
  );
  return module.linear('o_proj', mixed, x.shape[1] as number, { bias: outputBias });
}
