import type { LogitsProcessor } from './logits-processor.ts';

/**
 * Bans tokens that would complete an n-gram of the source. The source is given for each prompt, or else it is
 * the row itself. Padding counts, as in transformers.
 */
export function banNgrams(size: number, sources?: readonly (readonly number[])[]): LogitsProcessor {
  return (scores, tokens, item) => {
    const source = sources?.[item] ?? tokens;
    const start = tokens.length + 1 - size;
    if (start < 0) return;
    for (let end = size - 1; end < source.length; end++) {
      let same = 0;
      while (same < size - 1 && source[end + 1 - size + same] === tokens[start + same]) same++;
      if (same === size - 1) scores[source[end]] = Number.NEGATIVE_INFINITY;
    }
  };
}
