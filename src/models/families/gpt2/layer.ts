import { add, slice } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { attention } from '../../nn/attention.ts';
import { askedBias } from '../../nn/attention-bias.ts';
import type { LayerRows } from '../../nn/decoder-layers.ts';
import { layerNorm } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import { selectRows } from '../../nn/select-rows.ts';
import type { Gpt2Config } from './config.ts';

/** Inputs of a layer besides the hidden states. */
interface LayerInputs extends Pick<ModelInputs, 'batch' | 'sequence' | 'cache'> {
  /** The layer's index, from 0. */
  index: number;
  /** Added to the scores: [batch, 1, sequence, keys] */
  bias: Value;
}

/**
 * A layer: self-attention, then the feed-forward network, each applied to a layer norm of the hidden states.
 * The sublayers are the modules `attn` and `mlp`.
 */
export function gpt2Layer(
  network: Network,
  config: Gpt2Config,
  { hidden, residual, asked }: LayerRows,
  inputs: LayerInputs,
): Value {
  const norm = (name: string, x: Value) => layerNorm(network.at(name), x, config.layer_norm_epsilon);
  const [attn, mlp] = [network.at('attn'), network.at('mlp')];
  const mixed = selfAttention(attn, config, norm('ln_1', hidden), inputs, asked);
  const attended = add(attn.sublayer('attention', mixed, { residual }), residual);
  const inner = feedForward(mlp, config, norm('ln_2', attended));
  return add(mlp.sublayer('feedForward', inner, { residual: attended }), attended);
}

/** The module `attn`. Queries, keys and values come from one linear module, side by side. */
function selfAttention(
  module: Network,
  config: Gpt2Config,
  x: Value,
  { batch, sequence, cache, index, bias }: LayerInputs,
  asked: Value | undefined,
): Value {
  const { n_embd: width, n_head: heads } = config;
  const headSize = width / heads;
  const together = conv1d(module, 'c_attn', x, 3 * width);
  const [query, key, value] = [0, 1, 2].map((i) => slice(together, 1, i * width, (i + 1) * width)) as [
    Value,
    Value,
    Value,
  ];
  const remember = (name: string, rows: Value) => module.remembered(cache, name, rows, sequence, headSize);
  const scale = config.scale_attn_weights ? 1 / Math.sqrt(headSize) : 1;
  const asking = selectRows(query, asked);
  const mixed = attention(
    module,
    [asking, remember('key', key), remember('value', value)],
    askedBias(bias, asked),
    {
      batch,
      queries: asked ? 1 : sequence,
      heads,
      headSize,
      dropout: config.attn_pdrop,
      scale: config.scale_attn_by_inverse_layer_idx ? scale / (index + 1) : scale,
    },
  );
  return module.dropout(conv1d(module, 'c_proj', mixed, width), config.resid_pdrop);
}

/** The module `mlp`. */
function feedForward(module: Network, config: Gpt2Config, x: Value): Value {
  const inner = conv1d(module, 'c_fc', x, config.n_inner ?? 4 * config.n_embd);
  const active = activation(config.activation_function, 'activation_function')(inner);
  return module.dropout(conv1d(module, 'c_proj', active, config.n_embd), config.resid_pdrop);
}

/** A linear module as GPT-2 stores it, with a weight [in, out]. */
function conv1d(network: Network, path: string, x: Value, outFeatures: number): Value {
  return network.linear(path, x, outFeatures, { transposed: true });
}
