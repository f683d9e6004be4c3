import { gather } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';

/**
 * The rows of hidden states [tokens · batch, width] that need logits; all rows without `logitRows`. A loss over few
 * tokens then costs few products with the vocabulary.
 */
export function selectRows(hidden: Value, { logitRows }: { logitRows?: Value }): Value {
  return logitRows ? gather(hidden, logitRows) : hidden;
}
