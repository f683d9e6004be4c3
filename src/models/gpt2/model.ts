import { add } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import { decoderBias } from '../../nn/attention-bias.ts';
import { embedding, wordEmbedding } from '../../nn/embedding.ts';
import { layerNorm } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import type { ModelInputs } from '../model-definition.ts';
import type { Gpt2Config } from './config.ts';
import { gpt2Layer } from './layer.ts';

export const WORDS = 'transformer.wte';

/** GPT-2 without a head. Returns the last layer's normalised hidden states, [sequence · batch, n_embd]. */
export function gpt2Model(network: Network, config: Gpt2Config, inputs: ModelInputs): Value {
  const { vocab_size, n_positions, n_embd: width } = config;
  const { inputIds, positionIds, attentionMask, sequence, virtual } = inputs;
  const words = wordEmbedding(network.at(WORDS), [vocab_size, width], inputIds, { virtual });
  const positions = embedding(network.at('transformer.wpe'), [n_positions, width], positionIds);
  const bias = decoderBias(attentionMask, sequence, { shared: virtual?.count });
  let hidden = network.dropout(add(words, positions), config.embd_pdrop);
  for (let index = 0; index < config.n_layer; index++) {
    const layer = network.at(`transformer.h.${index}`);
    hidden = gpt2Layer(layer, config, network.layerInput(hidden), { ...inputs, index, bias });
  }
  return layerNorm(network.at('transformer.ln_f'), hidden, config.layer_norm_epsilon);
}
