import type { Value } from '../../../engine/graph/graph.ts';
import type { ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { absolutePositions } from '../../nn/embedding.ts';
import type { EncodedRows } from '../../nn/encoder-layers.ts';
import type { Network } from '../../nn/network.ts';
import { postNormEncoder } from '../../nn/post-norm-encoder.ts';
import { bertEmbeddings } from '../bert/embeddings.ts';
import type { AlbertConfig } from './config.ts';

const MODULES = {
  query: 'attention.query',
  key: 'attention.key',
  value: 'attention.value',
  attended: 'attention.dense',
  attention: 'attention',
  attentionNorm: 'attention.LayerNorm',
  inner: 'ffn',
  outer: 'ffn_output',
  feedForward: 'ffn_output',
  feedForwardNorm: 'full_layer_layer_norm',
};

/**
 * ALBERT without a head. Unlike BERT, it has narrower embeddings and layers that share weights. Returns the
 * last layer's hidden states, [sequence · batch, hidden].
 */
export function albertModel(
  network: Network,
  config: AlbertConfig,
  inputs: ModelInputs,
  rows?: EncodedRows,
): Value {
  const embeddings = network.at('albert.embeddings');
  const encoder = network.at('albert.encoder');
  const { max_position_embeddings: places, embedding_size: width, inner_group_num: inner } = config;
  const positions = absolutePositions(embeddings.at('position_embeddings'), [places, width], inputs);
  const embedded = bertEmbeddings(embeddings, config, inputs, positions);
  const hidden = encoder.linear('embedding_hidden_mapping_in', embedded, config.hidden_size);
  const settings = {
    modules: MODULES,
    layers: config.num_hidden_layers * inner,
    path: (i: number) => pathOf(config, i),
    heads: config.num_attention_heads,
    innerWidth: config.intermediate_size,
    activation: activation(config.hidden_act),
    epsilon: config.layer_norm_eps,
    dropout: {
      weights: config.attention_probs_dropout_prob,
      attended: config.hidden_dropout_prob,
      outer: 0,
    },
  };
  return postNormEncoder(encoder.at('albert_layer_groups'), settings, hidden, inputs, rows);
}

/** The path of a layer's weights. Several layers may share them. */
function pathOf(
  { num_hidden_layers, num_hidden_groups, inner_group_num }: AlbertConfig,
  layer: number,
): string {
  const repetition = Math.floor(layer / inner_group_num);
  const group = Math.floor(repetition / (num_hidden_layers / num_hidden_groups));
  return `${group}.albert_layers.${layer % inner_group_num}`;
}
