import type { Value } from '../../../engine/graph/graph.ts';
import type { ModelInputs } from '../../model-definition.ts';
import { absolutePositions } from '../../nn/embedding.ts';
import type { EncodedRows } from '../../nn/encoder-layers.ts';
import type { Network } from '../../nn/network.ts';
import type { BertConfig } from './config.ts';
import { bertEmbeddings } from './embeddings.ts';
import { bertEncoder } from './encoder.ts';

/** BERT without a head. Returns the last layer's hidden states, [sequence · batch, hidden]. */
export function bertModel(
  network: Network,
  config: BertConfig,
  inputs: ModelInputs,
  rows?: EncodedRows,
): Value {
  const embeddings = network.at('bert.embeddings');
  const { max_position_embeddings: places, hidden_size: width } = config;
  const positions = absolutePositions(embeddings.at('position_embeddings'), [places, width], inputs);
  const embedded = bertEmbeddings(embeddings, config, inputs, positions);
  return bertEncoder(network.at('bert.encoder'), config, embedded, inputs, rows);
}
