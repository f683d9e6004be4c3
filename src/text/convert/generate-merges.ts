import type { SentencePiece } from './read-sentencepiece.ts';
import type { ScoredToken } from './sentencepiece-json.ts';

/**
 * Maximum number of merges, twice Gemma's. A few megabytes of nested pieces would otherwise give hundreds of millions.
 */
const MAX_MERGES = 2 ** 20;

/**
 * Derives the merges of a sentencepiece BPE model: every split of a token into two pieces. They are sorted by score,
 * then by the length of the left side, in descending order.
 *
 * @throws Error for too many merges
 */
export function generateMerges(
  pieces: readonly SentencePiece[],
  vocab: readonly ScoredToken[],
): [string, string][] {
  const ids = new Map(pieces.map(({ piece }, id) => [piece, id]));
  let count = 0;
  const merges = [...new Map(vocab)].flatMap(([token, score]) => {
    const characters = [...token];
    const cuts = [];
    for (let at = 1, units = 0; at < characters.length; at++) {
      units += characters[at - 1].length;
      const left = token.slice(0, units);
      if (!ids.has(left)) continue;
      const right = token.slice(units);
      if (!ids.has(right)) continue;
      if (++count > MAX_MERGES) throw new Error(`more than ${MAX_MERGES} merges of its pieces`);
      cuts.push({ left, right, score, lengths: [at, characters.length - at] });
    }
    return cuts.sort((a, b) => ids.get(a.left)! - ids.get(b.left)! || ids.get(a.right)! - ids.get(b.right)!);
  });
  merges.sort((a, b) => b.score - a.score || b.lengths[0] - a.lengths[0] || b.lengths[1] - a.lengths[1]);
  return merges.map(({ left, right }) => [left, right]);
}
