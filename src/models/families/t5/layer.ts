import { add, multiply } from '../../../engine/graph/build.ts';
import type { Dimension } from '../../../engine/graph/dimension.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { lazy } from '../../../support/lazy.ts';
import { activation } from '../../nn/activation.ts';
import { attention } from '../../nn/attention.ts';
import type { AttentionCache } from '../../nn/attention-cache.ts';
import type { Network, Sublayer } from '../../nn/network.ts';
import { rmsNorm } from '../../nn/rms-norm.ts';
import type { T5Config } from './config.ts';

/** Inputs of attention besides the queries' hidden states. */
export interface Asking {
  batch: Dimension;
  /** Number of query tokens per example. */
  queries: Dimension;
  /** Added to the scores: [batch | 1, heads | 1, queries | 1, keys] */
  bias: Value;
  cache?: AttentionCache;
}

/** The encoder's output, as the decoder reads it. */
export interface Encoded {
  /** [sequence · batch, d_model]; built only when this is called. */
  states: () => Value;
  sequence: Dimension;
}

const NO_BIAS = { bias: false };

/** Self-attention with its norm and residual. In a decoder, queries also attend to cached tokens. */
export function selfAttention(layer: Network, config: T5Config, hidden: Value, asking: Asking): Value {
  return sublayer(layer, config, ['SelfAttention', 'attention'], hidden, (module, x) => {
    const width = config.num_heads * config.d_kv;
    const [query, key, value] = module.linearGroup(['q', 'k', 'v'], x, [width, width, width], NO_BIAS);
    const remember = (name: string, rows: Value) =>
      asking.cache?.extend(module.pathOf(name), rows, asking.queries, config.d_kv) ?? rows;
    return attend(module, config, [query, remember('key', key), remember('value', value)], asking);
  });
}

/**
 * The decoder's attention to the encoder's output, with its norm and residual. If there is a cache, it stores
 * the keys and values.
 */
export function crossAttention(
  layer: Network,
  config: T5Config,
  hidden: Value,
  { states, sequence, ...asking }: Asking & Encoded,
): Value {
  return sublayer(layer, config, ['EncDecAttention', 'crossAttention'], hidden, (module, x) => {
    const width = config.num_heads * config.d_kv;
    const query = module.linear('q', x, width, NO_BIAS);
    const projected = lazy(() => module.linearGroup(['k', 'v'], states(), [width, width], NO_BIAS));
    const heads = { width, headSize: config.d_kv };
    const [key, value] = ['key', 'value'].map((name, i) => {
      const rows = () => projected()[i]!;
      return asking.cache?.keep(module.pathOf(name), sequence, heads, rows) ?? rows();
    }) as [Value, Value];
    return attend(module, config, [query, key, value], asking);
  });
}

/** The feed-forward network at the end of each layer, with its norm and residual. It may be gated. */
export function feedForward(layer: Network, config: T5Config, hidden: Value): Value {
  const { d_model, d_ff, dropout_rate, is_gated_act: isGated } = config;
  const active = activation(config.dense_act_fn, 'feed_forward_proj');
  return sublayer(layer, config, ['DenseReluDense', 'feedForward'], hidden, (module, x) => {
    const names = isGated ? ['wi_0', 'wi_1'] : ['wi'];
    const [gate, ...others] = module.linearGroup(names, x, Array(names.length).fill(d_ff), NO_BIAS) as [
      Value,
      ...Value[],
    ];
    const inner = others.reduce(multiply, active(gate));
    return module.linear('wo', module.dropout(inner, dropout_rate), d_model, NO_BIAS);
  });
}

/**
 * A sublayer: applies a module to the norm of the hidden states, and adds the module's output to the hidden
 * states.
 */
function sublayer(
  layer: Network,
  { layer_norm_epsilon, dropout_rate }: T5Config,
  [name, kind]: [string, Sublayer['kind']],
  hidden: Value,
  compute: (module: Network, x: Value) => Value,
): Value {
  const module = layer.at(name);
  const normed = rmsNorm(layer.at('layer_norm'), hidden, layer_norm_epsilon);
  const output = layer.dropout(compute(module, normed), dropout_rate);
  return add(hidden, module.sublayer(kind, output, { residual: hidden }));
}

function attend(
  module: Network,
  { d_model, d_kv: headSize, num_heads: heads, dropout_rate: dropout }: T5Config,
  queryKeyValue: readonly [Value, Value, Value],
  { batch, queries, bias }: Asking,
): Value {
  const options = { batch, queries, heads, headSize, dropout, scale: 1 };
  return module.linear('o', attention(module, queryKeyValue, bias, options), d_model, NO_BIAS);
}
