import type { Value } from '../../graph/graph.ts';
import { embedding } from '../../nn/embedding.ts';
import type { Network } from '../../nn/network.ts';
import { bertEmbeddings } from '../bert/embeddings.ts';
import { bertEncoder } from '../bert/encoder.ts';
import type { ModelInputs } from '../model-definition.ts';
import type { RobertaConfig } from './config.ts';
import { positionIds } from './position-ids.ts';

/** The encoder without a head: BERT's, but for its positions. Hidden states of the last layer, [sequence · batch, hidden]. */
export function robertaModel(network: Network, config: RobertaConfig, inputs: ModelInputs): Value {
  const embeddings = network.at('roberta.embeddings');
  const { max_position_embeddings: rows, hidden_size: width, pad_token_id: pad } = config;
  const ids = positionIds(inputs.inputIds, pad);
  const positions = embedding(embeddings.at('position_embeddings'), [rows, width], ids, pad);
  const embedded = bertEmbeddings(embeddings, config, inputs, positions);
  return bertEncoder(network.at('roberta.encoder'), config, embedded, inputs);
}
