import type { Value } from '../../graph/graph.ts';
import type { Network } from '../../nn/network.ts';

/**
 * Logits over the vocabulary, from hidden states [rows, width]. The weight is the word embeddings. If it is
 * not tied, it belongs to the module `projection`.
 *
 * @param embeddings path of the word embeddings
 */
export function wordLogits(
  network: Network,
  { vocab_size, tie_word_embeddings }: { vocab_size: number; tie_word_embeddings: boolean },
  embeddings: string,
  rows: Value,
  projection = 'lm_head',
): Value {
  network.words = tie_word_embeddings ? embeddings : projection;
  if (!tie_word_embeddings) return network.linear(projection, rows, vocab_size, { bias: false });
  return network.product(embeddings, rows, [vocab_size, rows.shape[1] as number]);
}
