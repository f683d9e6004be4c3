import { add } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { ModelInputs } from '../../model-definition.ts';
import { activation } from '../../nn/activation.ts';
import { embedding, wordEmbedding } from '../../nn/embedding.ts';
import type { EncodedRows } from '../../nn/encoder-layers.ts';
import { layerNorm } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import { postNormEncoder } from '../../nn/post-norm-encoder.ts';
import { positionIds } from '../roberta/model.ts';
import { relativeBias } from '../t5/relative-bias.ts';
import { BUCKETS, type MpnetConfig, PADDING } from './config.ts';

const MODULES = {
  query: 'attention.attn.q',
  key: 'attention.attn.k',
  value: 'attention.attn.v',
  attended: 'attention.attn.o',
  attention: 'attention',
  attentionNorm: 'attention.LayerNorm',
  inner: 'intermediate.dense',
  outer: 'output.dense',
  feedForward: 'output',
  feedForwardNorm: 'output.LayerNorm',
};

/**
 * MPNet without a head: BERT's layers, RoBERTa's positions, and T5's relative positions from one table for
 * all layers. Returns the last layer's hidden states, [sequence · batch, hidden].
 */
export function mpnetModel(
  network: Network,
  config: MpnetConfig,
  inputs: ModelInputs,
  rows?: EncodedRows,
): Value {
  const { num_attention_heads: heads, hidden_dropout_prob: hidden } = config;
  const { relative_attention_num_buckets: rowsOfTable } = config;
  const encoder = network.at('mpnet.encoder');
  const { sequence } = inputs;
  const settings = {
    modules: MODULES,
    layers: config.num_hidden_layers,
    heads,
    innerWidth: config.intermediate_size,
    activation: activation(config.hidden_act),
    epsilon: config.layer_norm_eps,
    dropout: { weights: config.attention_probs_dropout_prob, attended: hidden, outer: hidden },
    scoreBias: relativeBias(encoder, { ...BUCKETS, num_heads: heads }, 2, sequence, sequence, rowsOfTable),
  };
  const embedded = embeddings(network.at('mpnet.embeddings'), config, inputs);
  return postNormEncoder(encoder.at('layer'), settings, embedded, inputs, rows);
}

/** Word and position embeddings, summed and normalized. */
function embeddings(module: Network, config: MpnetConfig, { inputIds }: ModelInputs): Value {
  const { vocab_size, max_position_embeddings, hidden_size } = config;
  const table = module.at('word_embeddings');
  const words = wordEmbedding(table, [vocab_size, hidden_size], inputIds, { padding: PADDING });
  const places = [max_position_embeddings, hidden_size] as const;
  const ids = positionIds(inputIds, PADDING);
  const positions = embedding(module.at('position_embeddings'), places, ids, PADDING);
  const normalized = layerNorm(module.at('LayerNorm'), add(words, positions), config.layer_norm_eps);
  return module.dropout(normalized, config.hidden_dropout_prob);
}
