import type { LogitsProcessor } from './logits-processor.ts';

/** Allows only the `forced` tokens if a row has exactly this length. Their scores are equal. */
export function forceTokens(length: number, forced: readonly number[]): LogitsProcessor {
  return (scores, tokens) => {
    if (tokens.length !== length) return;
    scores.fill(Number.NEGATIVE_INFINITY);
    for (const token of forced) scores[token] = 0;
  };
}
