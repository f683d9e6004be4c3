import { add } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { absolutePositions, wordEmbedding } from '../../nn/embedding.ts';
import type { EncodedRows } from '../../nn/encoder-layers.ts';
import { layerNorm } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import { postNormEncoder } from '../../nn/post-norm-encoder.ts';
import type { DistilBertConfig } from './config.ts';

/** Epsilon of every layer norm. The config.json has no field for it. */
export const EPSILON = 1e-12;

const MODULES = {
  query: 'attention.q_lin',
  key: 'attention.k_lin',
  value: 'attention.v_lin',
  attended: 'attention.out_lin',
  attention: 'attention',
  attentionNorm: 'sa_layer_norm',
  inner: 'ffn.lin1',
  outer: 'ffn.lin2',
  feedForward: 'ffn',
  feedForwardNorm: 'output_layer_norm',
};

/** DistilBERT without a head. Returns the last layer's hidden states, [sequence · batch, dim]. */
export function distilBertModel(
  network: Network,
  config: DistilBertConfig,
  inputs: ModelInputs,
  rows?: EncodedRows,
): Value {
  const settings = {
    modules: MODULES,
    layers: config.n_layers,
    heads: config.n_heads,
    innerWidth: config.hidden_dim,
    activation: activation(config.activation, 'activation'),
    epsilon: EPSILON,
    dropout: { weights: config.attention_dropout, attended: 0, outer: config.dropout },
  };
  const embedded = embeddings(network.at('distilbert.embeddings'), config, inputs);
  return postNormEncoder(network.at('distilbert.transformer.layer'), settings, embedded, inputs, rows);
}

/** Word and position embeddings, summed and normalized. */
function embeddings(module: Network, config: DistilBertConfig, inputs: ModelInputs): Value {
  const { vocab_size, max_position_embeddings, dim, pad_token_id } = config;
  const table = module.at('word_embeddings');
  const words = wordEmbedding(table, [vocab_size, dim], inputs.inputIds, { padding: pad_token_id });
  const rows = [max_position_embeddings, dim] as const;
  const sum = add(words, absolutePositions(module.at('position_embeddings'), rows, inputs));
  return module.dropout(layerNorm(module.at('LayerNorm'), sum, EPSILON), config.dropout);
}
