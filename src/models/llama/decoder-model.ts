import { multiply } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import { embedding } from '../../nn/embedding.ts';
import type { Network } from '../../nn/network.ts';
import { rmsNorm } from '../../nn/rms-norm.ts';
import type { ModelInputs } from '../model-definition.ts';
import type { DecoderConfig } from './config.ts';

/** How a family computes what all have. */
export interface DecoderParts<Config extends DecoderConfig> {
  layer(
    network: Network,
    config: Config,
    path: string,
    hidden: Value,
    inputs: ModelInputs,
    index: number,
  ): Value;
  /** Factor of the embedded words. */
  embeddingScale?(config: Config): number;
  /** What a norm's gain is beyond its weight. */
  normOffset?: number;
}

/** Hidden states of the last layer, normalised: [sequence · batch, hidden]. */
export function decoderModel<Config extends DecoderConfig>(
  { layer, embeddingScale = () => 1, normOffset }: DecoderParts<Config>,
  network: Network,
  config: Config,
  path: string,
  inputs: ModelInputs,
): Value {
  const { vocab_size, hidden_size, pad_token_id } = config;
  const table = `${path}.embed_tokens`;
  const words = embedding(network, table, [vocab_size, hidden_size], inputs.inputIds, pad_token_id);
  let hidden = multiply(words, embeddingScale(config));
  for (let i = 0; i < config.num_hidden_layers; i++)
    hidden = layer(network, config, `${path}.layers.${i}`, network.layerInput(hidden), inputs, i);
  return rmsNorm(network, `${path}.norm`, hidden, config.rms_norm_eps, normOffset);
}
