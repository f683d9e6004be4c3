import { add, multiply } from '../../graph/build.ts';
import type { Value } from '../../graph/graph.ts';
import { absolutePositions } from '../../nn/absolute-positions.ts';
import { embedding, wordEmbedding } from '../../nn/embedding.ts';
import { layerNorm } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import type { ModelInputs } from '../model-definition.ts';
import type { DebertaV2Config } from './config.ts';

/**
 * The module `embeddings`: word embeddings, plus absolute positions and token types if the config has them.
 * They are projected to the hidden width, normalized, and set to zero at padding: [sequence · batch, hidden].
 *
 * @param realRows [sequence · batch, 1]: 0 for padding, 1 for tokens
 */
export function debertaV2Embeddings(
  module: Network,
  config: DebertaV2Config,
  inputs: ModelInputs,
  realRows: Value,
): Value {
  const { embedding_size: width, hidden_size, type_vocab_size: types } = config;
  let sum = wordEmbedding(module.at('word_embeddings'), [config.vocab_size, width], inputs.inputIds, {
    padding: config.pad_token_id,
  });
  if (config.position_biased_input) {
    const table = [config.max_position_embeddings, width] as const;
    sum = add(sum, absolutePositions(module.at('position_embeddings'), table, inputs));
  }
  if (types > 0) {
    sum = add(sum, embedding(module.at('token_type_embeddings'), [types, width], inputs.tokenTypeIds));
  }
  const projected =
    width === hidden_size ? sum : module.linear('embed_proj', sum, hidden_size, { bias: false });
  const normalized = layerNorm(module.at('LayerNorm'), projected, config.layer_norm_eps);
  return module.dropout(multiply(normalized, realRows), config.hidden_dropout_prob);
}
