import { gather } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';

/**
 * Selects the rows of hidden states [tokens · batch, width] that need logits; without `logitRows`, all rows. So a loss
 * over few tokens multiplies only those with the vocabulary.
 */
export function selectRows(hidden: Value, { logitRows }: { logitRows?: Value }): Value {
  return logitRows ? gather(hidden, logitRows) : hidden;
}
