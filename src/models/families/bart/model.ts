import { addDimensions } from '../../../engine/graph/dimension.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { lazy } from '../../../support/lazy.ts';
import type { ModelInputs } from '../../model-definition.ts';
import { attentionBias, causalBias } from '../../nn/attention-bias.ts';
import type { Network } from '../../nn/network.ts';
import { crossAttention, type Encoded, selfAttention } from './attention.ts';
import type { BartConfig } from './config.ts';
import { bartEmbeddings } from './embeddings.ts';
import { endSublayer, feedForward } from './layer.ts';

/**
 * Encoder and decoder. Returns the decoder's hidden states, [target · batch, d_model]. The encoder is built
 * only if the decoder requests its states, because a cache may already contain its keys and values.
 */
export function bartModel(network: Network, config: BartConfig, inputs: ModelInputs): Value {
  const padding = attentionBias(inputs.attentionMask);
  const build = () => encoder(network, config, inputs, padding);
  const states = lazy(() => inputs.cache?.states?.(build) ?? build());
  return decoder(network, config, inputs, { states, sequence: inputs.sequence, bias: padding });
}

function encoder(network: Network, config: BartConfig, inputs: ModelInputs, bias: Value): Value {
  const { inputIds, sequence, batch } = inputs;
  const asking = { batch, queries: sequence, heads: config.encoder_attention_heads, bias };
  let hidden = bartEmbeddings(network, config, 'encoder', { ids: inputIds, past: 0 });
  for (let i = 0; i < config.encoder_layers; i++) {
    network.layerInput(hidden);
    const layer = network.at(`model.encoder.layers.${i}`);
    const output = selfAttention(layer.at('self_attn'), config, hidden, asking);
    const attended = endSublayer(layer, config, 'attention', { output, residual: hidden });
    hidden = feedForward(layer, config, attended, config.encoder_ffn_dim);
  }
  // The decoder's layers read these states.
  return network.layerInput(hidden);
}

/** @param encoded the encoder's output, with the bias that masks its padding */
function decoder(
  network: Network,
  config: BartConfig,
  inputs: ModelInputs,
  encoded: Encoded & { bias: Value },
): Value {
  const { decoderInputIds, batch, target, cache } = inputs;
  const past = cache?.past ?? 0;
  const causal = causalBias(decoderInputIds, target, addDimensions(past, target));
  const asking = { batch, queries: target, heads: config.decoder_attention_heads, cache };
  let hidden = bartEmbeddings(network, config, 'decoder', { ids: decoderInputIds, past });
  for (let i = 0; i < config.decoder_layers; i++) {
    network.layerInput(hidden);
    const layer = network.at(`model.decoder.layers.${i}`);
    const output = selfAttention(layer.at('self_attn'), config, hidden, { ...asking, bias: causal });
    const attended = endSublayer(layer, config, 'attention', { output, residual: hidden });
    const read = crossAttention(layer.at('encoder_attn'), config, attended, { ...asking, ...encoded });
    const informed = endSublayer(layer, config, 'crossAttention', { output: read, residual: attended });
    hidden = feedForward(layer, config, informed, config.decoder_ffn_dim);
  }
  return hidden;
}
