import { reshape } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { ModelInputs } from '../../model-definition.ts';
import { type DecoderAttentionOptions, decoderAttention } from '../../nn/decoder-attention.ts';
import { decoderLayers, type LayerRows } from '../../nn/decoder-layers.ts';
import { wordEmbedding } from '../../nn/embedding.ts';
import type { Network } from '../../nn/network.ts';
import { rmsNorm } from '../../nn/rms-norm.ts';
import type { DecoderConfig } from './config.ts';
import { llamaLayer } from './layer.ts';

/** The parts that Llama-like families compute differently. */
export interface DecoderParts<Config extends DecoderConfig> {
  /** Attention options of a layer. They are added to those from common config fields. */
  attention(config: Config, layer: number): Partial<DecoderAttentionOptions>;
  /**
   * Builds a layer. Default: Llama's layer.
   *
   * @param attend applies the module `self_attn` to hidden states of all tokens, and returns those of `rows.residual`
   */
  layer?(network: Network, config: Config, rows: LayerRows, attend: (x: Value) => Value): Value;
  /** Factor of the word embeddings. Default: 1. */
  embeddingScale?(config: Config): number;
  /** A norm multiplies by its weight plus this. Default: 0. */
  normOffset?: number;
}

/** A decoder without a head. Returns the last layer's normalized hidden states, of all tokens or those in `inputs.asked`. */
export function decoderModel<Config extends DecoderConfig>(
  { attention, layer = llamaLayer, embeddingScale = () => 1, normOffset }: DecoderParts<Config>,
  module: Network,
  config: Config,
  inputs: ModelInputs,
): Value {
  const { vocab_size, hidden_size, pad_token_id } = config;
  const table = module.at('embed_tokens');
  const embedded = wordEmbedding(table, [vocab_size, hidden_size], inputs.inputIds, {
    padding: pad_token_id,
    scale: embeddingScale(config),
    virtual: inputs.virtual,
  });
  const hidden = decoderLayers(module, config.num_hidden_layers, embedded, inputs.asked, (i, rows) => {
    const network = module.at(`layers.${i}`);
    const options = { ...commonOptions(config), ...attention(config, i) };
    const attend = (x: Value) => decoderAttention(network.at('self_attn'), x, inputs, options, rows.asked);
    return layer(network, config, rows, attend);
  });
  return rmsNorm(module.at('norm'), hidden, config.rms_norm_eps, normOffset);
}

function commonOptions(config: DecoderConfig): DecoderAttentionOptions {
  return {
    heads: config.num_attention_heads,
    keyValueHeads: config.keyValueHeads,
    headSize: config.headSize,
    rotary: config.rotary,
    dropout: config.attention_dropout,
  };
}

/** Returns a function that normalizes each head in rows [tokens, heads · headSize]; see `rmsNorm`. */
export function normOfHeads(headSize: number, epsilon: number, offset = 0) {
  return (norm: Network, rows: Value): Value => {
    const [tokens, width] = rows.shape;
    const heads = reshape(rows, [tokens!, (width as number) / headSize, headSize]);
    return reshape(rmsNorm(norm, heads, epsilon, offset), rows.shape);
  };
}
