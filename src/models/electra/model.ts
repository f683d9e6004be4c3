import type { Value } from '../../graph/graph.ts';
import { absolutePositions } from '../../nn/absolute-positions.ts';
import type { EncodedRows } from '../../nn/encoder-layers.ts';
import type { Network } from '../../nn/network.ts';
import { bertEmbeddings } from '../bert/embeddings.ts';
import { bertEncoder } from '../bert/encoder.ts';
import type { ModelInputs } from '../model-definition.ts';
import type { ElectraConfig } from './config.ts';

/**
 * ELECTRA without a head. It equals BERT, but its embeddings may have another width, and are then projected
 * to the hidden width. Returns the last layer's hidden states, [sequence · batch, hidden].
 */
export function electraModel(
  network: Network,
  config: ElectraConfig,
  inputs: ModelInputs,
  rows?: EncodedRows,
): Value {
  const embeddings = network.at('electra.embeddings');
  const { max_position_embeddings: places, embedding_size: width, hidden_size } = config;
  const positions = absolutePositions(embeddings.at('position_embeddings'), [places, width], inputs);
  const embedded = bertEmbeddings(embeddings, config, inputs, positions);
  const projected =
    width === hidden_size ? embedded : network.linear('electra.embeddings_project', embedded, hidden_size);
  return bertEncoder(network.at('electra.encoder'), config, projected, inputs, rows);
}
