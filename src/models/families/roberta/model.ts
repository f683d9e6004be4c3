import {
  add,
  cast,
  constant,
  equal,
  greater,
  iota,
  matmul,
  multiply,
  reshape,
  where,
} from '../../../engine/graph/build.ts';
import type { Value } from '../../../engine/graph/graph.ts';
import type { ModelInputs } from '../../model-definition.ts';
import { embedding } from '../../nn/embedding.ts';
import type { EncodedRows } from '../../nn/encoder-layers.ts';
import type { Network } from '../../nn/network.ts';
import { bertEmbeddings } from '../bert/embeddings.ts';
import { bertEncoder } from '../bert/encoder.ts';
import type { RobertaConfig } from './config.ts';

/**
 * RoBERTa without a head: BERT with other positions. Returns the last layer's hidden states, [sequence ·
 * batch, hidden].
 */
export function robertaModel(
  network: Network,
  config: RobertaConfig,
  inputs: ModelInputs,
  rows?: EncodedRows,
): Value {
  const embeddings = network.at('roberta.embeddings');
  const { max_position_embeddings: places, hidden_size: width, pad_token_id: pad } = config;
  const ids = positionIds(inputs.inputIds, pad);
  const positions = embedding(embeddings.at('position_embeddings'), [places, width], ids, pad);
  const embedded = bertEmbeddings(embeddings, config, inputs, positions);
  return bertEncoder(network.at('roberta.encoder'), config, embedded, inputs, rows);
}

/**
 * Positions of ids [sequence, batch] as in fairseq and transformers (`create_position_ids_from_input_ids`).
 * Counted from 1, the n-th token that is not padding has position n + pad. Padding has position pad.
 */
export function positionIds(ids: Value, pad: number): Value {
  const [sequence] = ids.shape;
  const { graph } = ids.node;
  const real = where(equal(ids, constant(graph, [pad], [], 'int32')), 0, 1);
  const order = iota(graph, sequence!);
  const later = greater(reshape(order, [1, sequence!]), reshape(order, [sequence!, 1]));
  // A cumulative sum as a product with a triangle of ones. It is exact, and every backend has a kernel for
  // it.
  const count = matmul(where(later, 0, 1), real);
  return cast(add(multiply(count, real), pad), 'int32');
}
