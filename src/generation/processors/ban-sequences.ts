import type { LogitsProcessor } from './logits-processor.ts';

/** Bans the last token of each sequence, if the row ends in the sequence's other tokens. */
export function banSequences(sequences: readonly (readonly number[])[]): LogitsProcessor {
  return (scores, tokens) => {
    for (const sequence of sequences) {
      const start = tokens.length + 1 - sequence.length;
      if (start >= 0 && sequence.every((id, i) => i === sequence.length - 1 || id === tokens[start + i])) {
        scores[sequence[sequence.length - 1]] = Number.NEGATIVE_INFINITY;
      }
    }
  };
}
