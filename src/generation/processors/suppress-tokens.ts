import type { LogitsProcessor } from './logits-processor.ts';

/** Bans tokens in rows whose length is in [from, to). */
export function suppressTokens(
  suppressed: readonly number[],
  from = 0,
  to = Number.POSITIVE_INFINITY,
): LogitsProcessor {
  return (scores, tokens) => {
    if (tokens.length < from || tokens.length >= to) return;
    for (const token of suppressed) scores[token] = Number.NEGATIVE_INFINITY;
  };
}
