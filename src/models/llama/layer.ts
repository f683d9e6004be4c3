import { add } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import { activation } from '../../nn/activation.ts';
import { gatedFeedForward } from '../../nn/gated-feed-forward.ts';
import type { Network } from '../../nn/network.ts';
import { rmsNorm } from '../../nn/rms-norm.ts';
import type { DecoderConfig } from './config.ts';

type LayerConfig = DecoderConfig & { mlp_bias?: boolean };

/**
 * A layer: attention, then the gated feed-forward network, each on a norm of what it is added to.
 *
 * @param attend the module `self_attn` on hidden states
 */
export function llamaLayer(
  network: Network,
  config: LayerConfig,
  hidden: Value,
  attend: (x: Value) => Value,
): Value {
  const norm = (name: string, x: Value) => rmsNorm(network.at(name), x, config.rms_norm_eps);
  const attended = add(hidden, attend(norm('input_layernorm', hidden)));
  return add(attended, feedForward(network.at('mlp'), config, norm('post_attention_layernorm', attended)));
}

/** The module `mlp` of a layer. */
export function feedForward(module: Network, config: LayerConfig, x: Value): Value {
  return gatedFeedForward(module, x, {
    inner: config.intermediate_size,
    activation: activation(config.hidden_act),
    bias: config.mlp_bias,
  });
}
