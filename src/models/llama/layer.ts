import { add } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import { activation } from '../../nn/activation.ts';
import { type DecoderAttentionOptions, decoderAttention } from '../../nn/decoder-attention.ts';
import { gatedFeedForward } from '../../nn/gated-feed-forward.ts';
import type { Network } from '../../nn/network.ts';
import { rmsNorm } from '../../nn/rms-norm.ts';
import type { ModelInputs } from '../model-definition.ts';
import type { DecoderConfig } from './config.ts';

/** What a family's attention has beside what its config's common fields say. */
export type AttentionTraits = Omit<Partial<DecoderAttentionOptions>, 'heads' | 'keyValueHeads' | 'headSize'>;

/** One layer: attention, then the gated feed-forward network, each on a norm of what it is added to. */
export function llamaLayer(
  network: Network,
  config: DecoderConfig & { mlp_bias?: boolean },
  path: string,
  hidden: Value,
  inputs: ModelInputs,
  traits: AttentionTraits,
): Value {
  const norm = (name: string, x: Value) => rmsNorm(network, `${path}.${name}`, x, config.rms_norm_eps);
  const attended = add(
    hidden,
    selfAttention(network, config, path, norm('input_layernorm', hidden), inputs, traits),
  );
  const inner = norm('post_attention_layernorm', attended);
  return add(attended, feedForward(network, config, path, inner));
}

/** The module `self_attn` of a layer. */
export function selfAttention(
  network: Network,
  config: DecoderConfig,
  path: string,
  x: Value,
  inputs: ModelInputs,
  traits: AttentionTraits,
): Value {
  return decoderAttention(network, `${path}.self_attn`, x, inputs, {
    heads: config.num_attention_heads,
    keyValueHeads: config.keyValueHeads,
    headSize: config.headSize,
    rotary: config.rotary,
    dropout: config.attention_dropout,
    ...traits,
  });
}

/** The module `mlp` of a layer. */
export function feedForward(
  network: Network,
  config: DecoderConfig & { mlp_bias?: boolean },
  path: string,
  x: Value,
): Value {
  return gatedFeedForward(network, `${path}.mlp`, x, {
    inner: config.intermediate_size,
    activation: activation(config.hidden_act),
    bias: config.mlp_bias,
  });
}
