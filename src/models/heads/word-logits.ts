import type { Value } from '../../engine/graph/graph.ts';
import type { CommonConfig } from '../model-definition.ts';
import type { Network } from '../nn/network.ts';

/** The fields of a config that decide whether output weights are the word embeddings. */
export type TiedConfig = Pick<CommonConfig, 'ownOutput'> & { tie_word_embeddings: boolean };

export function isTied({ tie_word_embeddings, ownOutput = false }: TiedConfig): boolean {
  return tie_word_embeddings && !ownOutput;
}

const PROJECTION = 'lm_head';

/**
 * Logits over the vocabulary, from hidden states [rows, width]. The weight is the word embeddings. If it is
 * not tied, it belongs to the module `lm_head`.
 *
 * @param embeddings path of the word embeddings
 */
export function wordLogits(
  network: Network,
  config: TiedConfig & { vocab_size: number },
  embeddings: string,
  rows: Value,
): Value {
  const { vocab_size } = config;
  network.words = isTied(config) ? embeddings : PROJECTION;
  if (!isTied(config)) return network.linear(PROJECTION, rows, vocab_size, { bias: false });
  return network.product(embeddings, rows, [vocab_size, rows.shape[1] as number]);
}
