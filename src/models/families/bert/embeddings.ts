import { add } from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { ModelInputs } from '../../model-definition.ts';
import { embedding, wordEmbedding } from '../../nn/embedding.ts';
import { layerNorm } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import type { BertConfig } from './config.ts';

type EmbeddingConfig = Pick<
  BertConfig,
  'vocab_size' | 'type_vocab_size' | 'pad_token_id' | 'layer_norm_eps' | 'hidden_dropout_prob'
>;

/**
 * The module `embeddings` of BERT and related families: the sum of word, token type and position embeddings,
 * normalized. Returns [sequence · batch, width].
 */
export function bertEmbeddings(
  module: Network,
  config: EmbeddingConfig,
  { inputIds, tokenTypeIds }: ModelInputs,
  positions: Value,
): Value {
  const width = positions.shape[1] as number;
  const words = wordEmbedding(module.at('word_embeddings'), [config.vocab_size, width], inputIds, {
    padding: config.pad_token_id,
  });
  const types = embedding(module.at('token_type_embeddings'), [config.type_vocab_size, width], tokenTypeIds);
  const sum = add(add(words, types), positions);
  const normalized = layerNorm(module.at('LayerNorm'), sum, config.layer_norm_eps);
  return module.dropout(normalized, config.hidden_dropout_prob);
}
