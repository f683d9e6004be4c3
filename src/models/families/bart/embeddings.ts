import { add } from '../../../engine/graph/build.ts';
import { addDimensions, type Dimension } from '../../../engine/graph/dimension.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import { absolutePositions, wordEmbedding } from '../../nn/embedding.ts';
import { layerNorm } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import type { BartConfig } from './config.ts';
import { LAYER_NORM_EPSILON } from './layer.ts';

/** The path of the word embeddings. Encoder and decoder share them, and a tied language model head does too. */
export const SHARED = 'model.shared';

/** Row of the first position. The first two rows of the table are not used. */
const FIRST_POSITION = 2;

/**
 * Word and position embeddings of the encoder or the decoder, summed and normalized: [tokens · batch,
 * d_model].
 *
 * @param ids int32 [tokens, batch]
 * @param past number of earlier tokens
 */
export function bartEmbeddings(
  network: Network,
  config: BartConfig,
  side: 'encoder' | 'decoder',
  { ids, past }: { ids: Value; past: Dimension },
): Value {
  const { vocab_size, max_position_embeddings, d_model: width, pad_token_id } = config;
  const [sequence, batch] = ids.shape as [Dimension, Dimension];
  const module = network.at(`model.${side}`);
  const table = config.tie_word_embeddings ? network.at(SHARED) : module.at('embed_tokens');
  const words = wordEmbedding(table, [vocab_size, width], ids, {
    padding: pad_token_id,
    scale: config.scale_embedding ? Math.sqrt(width) : 1,
  });
  const positions = absolutePositions(
    module.at('embed_positions'),
    [max_position_embeddings + FIRST_POSITION, width],
    { batch, sequence },
    addDimensions(past, FIRST_POSITION),
  );
  const sum = add(words, positions);
  const normalized = layerNorm(module.at('layernorm_embedding'), sum, LAYER_NORM_EPSILON);
  return network.dropout(normalized, config.dropout);
}
