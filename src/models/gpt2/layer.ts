import { add, slice } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import { activation } from '../../nn/activation.ts';
import { attention } from '../../nn/attention.ts';
import { layerNorm } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import type { ModelInputs } from '../model-definition.ts';
import type { Gpt2Config } from './config.ts';

/** One block: self-attention, then the feed-forward network, each on a layer norm of what it is added to. */
export function gpt2Layer(
  network: Network,
  config: Gpt2Config,
  index: number,
  hidden: Value,
  bias: Value,
  inputs: ModelInputs,
): Value {
  const path = `transformer.h.${index}`;
  const norm = (name: string, x: Value) =>
    layerNorm(network, `${path}.${name}`, x, config.layer_norm_epsilon);
  const mixed = selfAttention(network, config, `${path}.attn`, index, norm('ln_1', hidden), bias, inputs);
  const attended = add(mixed, hidden);
  return add(feedForward(network, config, `${path}.mlp`, norm('ln_2', attended)), attended);
}

/** Queries, keys and values come from one module, side by side. */
function selfAttention(
  network: Network,
  config: Gpt2Config,
  path: string,
  index: number,
  x: Value,
  bias: Value,
  { batch, sequence, cache }: ModelInputs,
): Value {
  const { n_embd: width, n_head: heads } = config;
  const headSize = width / heads;
  const together = conv1d(network, `${path}.c_attn`, x, 3 * width);
  const [query, key, value] = [0, 1, 2].map((i) => slice(together, 1, i * width, (i + 1) * width));
  const remember = (name: string, rows: Value) => cache?.extend(`${path}.${name}`, rows, sequence) ?? rows;
  const scale = config.scale_attn_weights ? 1 / Math.sqrt(headSize) : 1;
  const mixed = attention(
    network,
    [query, remember('key', key), remember('value', value)],
    bias,
    { batch, queries: sequence, heads, headSize },
    {
      dropout: config.attn_pdrop,
      scale: config.scale_attn_by_inverse_layer_idx ? scale / (index + 1) : scale,
    },
  );
  return network.dropout(conv1d(network, `${path}.c_proj`, mixed, width), config.resid_pdrop);
}

function feedForward(network: Network, config: Gpt2Config, path: string, x: Value): Value {
  const inner = conv1d(network, `${path}.c_fc`, x, config.n_inner ?? 4 * config.n_embd);
  const active = activation(config.activation_function, 'activation_function')(inner);
  return network.dropout(conv1d(network, `${path}.c_proj`, active, config.n_embd), config.resid_pdrop);
}

/** A linear module as GPT-2 stores it: the weight is [in, out]. */
function conv1d(network: Network, path: string, x: Value, outFeatures: number): Value {
  return network.linear(path, x, outFeatures, { transposed: true });
}
