import { addDimensions } from '../../graph/dimension.ts';
import type { Value } from '../../graph/graph.ts';
import { attentionBias, causalBias } from '../../nn/attention-bias.ts';
import type { Network } from '../../nn/network.ts';
import { lazy } from '../../support/lazy.ts';
import type { ModelInputs } from '../model-definition.ts';
import { crossAttention, selfAttention } from './attention.ts';
import type { BartConfig } from './config.ts';
import { bartEmbeddings } from './embeddings.ts';
import { addAndNorm, feedForward } from './layer.ts';

/**
 * Encoder and decoder: the decoder's hidden states, [target · batch, d_model]. What is not asked for because a cache
 * has it is not built.
 */
export function bartModel(network: Network, config: BartConfig, inputs: ModelInputs): Value {
  const padding = attentionBias(inputs.attentionMask);
  const encoded = lazy(() => encoder(network, config, inputs, padding));
  return decoder(network, config, inputs, encoded, padding);
}

function encoder(network: Network, config: BartConfig, inputs: ModelInputs, padding: Value): Value {
  const { inputIds, sequence, batch } = inputs;
  const asking = { queries: sequence, heads: config.encoder_attention_heads, bias: padding };
  let hidden = bartEmbeddings(network, config, 'model.encoder', inputIds, 0);
  for (let i = 0; i < config.encoder_layers; i++) {
    network.layerInput(hidden);
    const path = `model.encoder.layers.${i}`;
    const mixed = selfAttention(network, config, `${path}.self_attn`, hidden, asking, { batch });
    const attended = addAndNorm(network, config, `${path}.self_attn_layer_norm`, mixed, hidden);
    hidden = feedForward(network, config, path, attended, config.encoder_ffn_dim);
  }
  // The decoder's layers read it.
  return network.layerInput(hidden);
}

function decoder(
  network: Network,
  config: BartConfig,
  inputs: ModelInputs,
  encoded: () => Value,
  padding: Value,
): Value {
  const { decoderInputIds, target, cache } = inputs;
  const past = cache?.past ?? 0;
  const causal = causalBias(decoderInputIds, target, addDimensions(past, target));
  const asking = { queries: target, heads: config.decoder_attention_heads };
  let hidden = bartEmbeddings(network, config, 'model.decoder', decoderInputIds, past);
  for (let i = 0; i < config.decoder_layers; i++) {
    network.layerInput(hidden);
    const path = `model.decoder.layers.${i}`;
    const own = { ...asking, bias: causal };
    const mixed = selfAttention(network, config, `${path}.self_attn`, hidden, own, inputs);
    const attended = addAndNorm(network, config, `${path}.self_attn_layer_norm`, mixed, hidden);
    const other = { ...asking, bias: padding };
    const read = crossAttention(network, config, `${path}.encoder_attn`, attended, encoded, other, inputs);
    const informed = addAndNorm(network, config, `${path}.encoder_attn_layer_norm`, read, attended);
    hidden = feedForward(network, config, path, informed, config.decoder_ffn_dim);
  }
  return hidden;
}
