import { gather } from '../graph/build.ts';
import type { Value } from '../graph/graph.ts';

/**
 * The rows of hidden states [tokens · batch, width] for which logits are wanted, all without `logitRows`. What only
 * the loss reads need not be projected to a vocabulary for every token.
 */
export function selectRows(hidden: Value, { logitRows }: { logitRows?: Value }): Value {
  return logitRows ? gather(hidden, logitRows) : hidden;
}
