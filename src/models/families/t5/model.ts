import { add } from '../../../engine/graph/build.ts';
import { addDimensions } from '../../../engine/graph/dimension.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { lazy } from '../../../support/lazy.ts';
import type { ModelInputs } from '../../model-definition.ts';
import { attentionBias, causalBias } from '../../nn/attention-bias.ts';
import { wordEmbedding } from '../../nn/embedding.ts';
import type { Network } from '../../nn/network.ts';
import { rmsNorm } from '../../nn/rms-norm.ts';
import type { T5Config } from './config.ts';
import { crossAttention, type Encoded, feedForward, selfAttention } from './layer.ts';
import { relativeBias } from './relative-bias.ts';

/** The path of the word embeddings. Encoder and decoder share them, and a tied language model head does too. */
export const SHARED = 'shared';

/**
 * Encoder and decoder. Returns the decoder's hidden states, [target · batch, d_model]. The encoder is built
 * only if the decoder requests its states, because a cache may already contain its keys and values.
 */
export function t5Model(network: Network, config: T5Config, inputs: ModelInputs): Value {
  const padding = attentionBias(inputs.attentionMask);
  const build = () => encoder(network, config, inputs, padding);
  const states = lazy(() => inputs.cache?.states?.(build) ?? build());
  return decoder(network, config, inputs, { states, sequence: inputs.sequence, bias: padding });
}

function encoder(network: Network, config: T5Config, inputs: ModelInputs, padding: Value): Value {
  const { inputIds, sequence, batch } = inputs;
  const stack = network.at('encoder');
  const relative = relativeBias(firstAttention(stack), config, 2, sequence, sequence);
  const asking = { batch, queries: sequence, bias: add(relative, padding) };
  let hidden = words(network, config, inputIds);
  for (let i = 0; i < config.num_layers; i++) {
    network.layerInput(hidden);
    const layer = stack.at(`block.${i}.layer`);
    hidden = selfAttention(layer.at('0'), config, hidden, asking);
    hidden = feedForward(layer.at('1'), config, hidden);
  }
  // The decoder's layers read these states.
  return network.layerInput(ended(stack, config, hidden));
}

/** @param encoded the encoder's output, with the bias that masks its padding */
function decoder(
  network: Network,
  config: T5Config,
  { decoderInputIds, batch, target, cache }: ModelInputs,
  encoded: Encoded & { bias: Value },
): Value {
  const stack = network.at('decoder');
  const keys = addDimensions(cache?.past ?? 0, target);
  const relative = relativeBias(firstAttention(stack), config, 1, target, keys);
  const causal = add(relative, causalBias(decoderInputIds, target, keys));
  const asking = { batch, queries: target, cache };
  let hidden = words(network, config, decoderInputIds);
  for (let i = 0; i < (config.num_decoder_layers ?? config.num_layers); i++) {
    network.layerInput(hidden);
    const layer = stack.at(`block.${i}.layer`);
    hidden = selfAttention(layer.at('0'), config, hidden, { ...asking, bias: causal });
    hidden = crossAttention(layer.at('1'), config, hidden, { ...asking, ...encoded });
    hidden = feedForward(layer.at('2'), config, hidden);
  }
  return ended(stack, config, hidden);
}

/** The module that contains the table of relative positions for all layers. */
function firstAttention(stack: Network): Network {
  return stack.at('block.0.layer.0.SelfAttention');
}

function words(network: Network, { vocab_size, d_model, dropout_rate }: T5Config, ids: Value): Value {
  return network.dropout(wordEmbedding(network.at(SHARED), [vocab_size, d_model], ids), dropout_rate);
}

function ended(stack: Network, { layer_norm_epsilon, dropout_rate }: T5Config, hidden: Value): Value {
  return stack.dropout(rmsNorm(stack.at('final_layer_norm'), hidden, layer_norm_epsilon), dropout_rate);
}
