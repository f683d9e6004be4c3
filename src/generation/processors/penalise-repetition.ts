import type { LogitsProcessor } from './logits-processor.ts';

/**
 * Lowers the scores of tokens that have occurred: divides them by the penalty, or multiplies them if they are
 * negative.
 */
export function penaliseRepetition(penalty: number, paddings: readonly number[]): LogitsProcessor {
  return (scores, tokens, item) => {
    for (const token of new Set(tokens.slice(paddings[item]))) {
      if (token >= scores.length) continue; // an embedding may have more rows than there are logits
      const score = scores[token];
      scores[token] = score < 0 ? score * Math.fround(penalty) : score / Math.fround(penalty);
    }
  };
}
