import type { Dimension } from '../../../engine/graph/dimension.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { lazy } from '../../../support/lazy.ts';
import { attention } from '../../nn/attention.ts';
import type { AttentionCache } from '../../nn/attention-cache.ts';
import type { Network } from '../../nn/network.ts';
import type { BartConfig } from './config.ts';

/** Inputs of attention besides the queries' hidden states. */
interface Asking {
  batch: Dimension;
  /** Number of query tokens per example. */
  queries: Dimension;
  heads: number;
  /** Added to the scores: [batch | 1, 1, queries | 1, keys] */
  bias: Value;
  cache?: AttentionCache;
}

/** The module `self_attn`: self-attention. In a decoder, queries also attend to cached tokens. */
export function selfAttention(module: Network, config: BartConfig, hidden: Value, asking: Asking): Value {
  const { d_model: width } = config;
  const [query, key, value] = module.linearGroup(['q_proj', 'k_proj', 'v_proj'], hidden, [
    width,
    width,
    width,
  ]);
  const remember = (name: string, rows: Value) =>
    asking.cache?.extend(module.pathOf(name), rows, asking.queries, width / asking.heads) ?? rows;
  return attend(module, config, [query, remember('key', key), remember('value', value)], asking);
}

/** The encoder's output, as the decoder reads it. */
export interface Encoded {
  /** [sequence · batch, d_model]; built only when this is called. */
  states: () => Value;
  sequence: Dimension;
}

/**
 * The module `encoder_attn`: the decoder's attention to the encoder's output. If there is a cache, it stores
 * the keys and values.
 */
export function crossAttention(
  module: Network,
  config: BartConfig,
  hidden: Value,
  { states, sequence, ...asking }: Asking & Encoded,
): Value {
  const { d_model: width } = config;
  const query = module.linear('q_proj', hidden, width);
  const projected = lazy(() => module.linearGroup(['k_proj', 'v_proj'], states(), [width, width]));
  const heads = { width, headSize: width / asking.heads };
  const [key, value] = ['key', 'value'].map((name, i) => {
    const rows = () => projected()[i]!;
    return asking.cache?.keep(module.pathOf(name), sequence, heads, rows) ?? rows();
  }) as [Value, Value];
  return attend(module, config, [query, key, value], asking);
}

function attend(
  module: Network,
  { d_model, attention_dropout: dropout }: BartConfig,
  queryKeyValue: readonly [Value, Value, Value],
  { batch, queries, heads, bias }: Asking,
): Value {
  const options = { batch, queries, heads, headSize: d_model / heads, dropout };
  return module.linear('out_proj', attention(module, queryKeyValue, bias, options), d_model);
}
