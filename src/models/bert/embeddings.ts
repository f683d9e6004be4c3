import { add, expand, gather, reshape, slice } from '../../graph/build.ts';
import { multiplyDimensions } from '../../graph/dimension.ts';
import type { Value } from '../../graph/graph.ts';
import { layerNorm } from '../../nn/layer-norm.ts';
import type { Network } from '../../nn/network.ts';
import type { ModelInputs } from '../model-definition.ts';
import type { BertConfig } from './config.ts';

/** Word, position and token type embeddings, summed and normalised: [sequence · batch, hidden]. */
export function bertEmbeddings(
  network: Network,
  config: BertConfig,
  path: string,
  { inputIds, tokenTypeIds, batch, sequence }: ModelInputs,
): Value {
  const width = config.hidden_size;
  const padding = config.pad_token_id ?? undefined;
  const rows = multiplyDimensions(sequence, batch);
  const table = (name: string, size: number) => network.parameter(`${path}.${name}.weight`, [size, width]);
  const flat = (ids: Value) => reshape(ids, [rows]);
  const words = gather(table('word_embeddings', config.vocab_size), flat(inputIds), padding);
  const types = gather(table('token_type_embeddings', config.type_vocab_size), flat(tokenTypeIds));
  const positions = slice(table('position_embeddings', config.max_position_embeddings), 0, 0, sequence);
  const everyPosition = expand(reshape(positions, [sequence, 1, width]), [sequence, batch, width]);
  const sum = add(add(words, types), reshape(everyPosition, [rows, width]));
  const normalised = layerNorm(network, `${path}.LayerNorm`, sum, config.layer_norm_eps);
  return network.dropout(normalised, config.hidden_dropout_prob);
}
