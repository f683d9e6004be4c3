import type { FileContent } from './medium.ts';

/** Largest mean difference per byte of the small versions of near-equal files, such as an image saved again as JPEG. */
const MAX_DIFFERENCE = 2;

type Small = Pick<FileContent, 'small' | 'digest'>;

/**
 * Finds near-equal contents: the same file, or almost the same small version.
 *
 * @returns for each content the index of the first one that it equals, directly or through others
 */
export function groupAlike(contents: readonly Small[]): Int32Array {
  const means = contents.map(({ small }) => small.reduce((sum, byte) => sum + byte, 0) / small.length);
  const order = [...contents.keys()].sort((a, b) => means[a]! - means[b]! || a - b);
  const first = Int32Array.from(contents.keys());
  const root = (i: number): number => {
    let at = i;
    while (first[at] !== at) at = first[at]!;
    return at;
  };
  // Near-equal contents have nearly the same mean, so only neighbors are compared.
  for (const [place, i] of order.entries()) {
    for (let next = place + 1; next < order.length; next++) {
      const other = order[next]!;
      if (means[other]! - means[i]! > MAX_DIFFERENCE) break;
      if (!isAlike(contents[i]!, contents[other]!)) continue;
      const [low, high] = [root(i), root(other)].sort((a, b) => a - b) as [number, number];
      first[high] = low;
    }
  }
  return first.map((_, i) => root(i));
}

function isAlike(a: Small, b: Small): boolean {
  if (a.digest === b.digest) return true;
  let difference = 0;
  for (let i = 0; i < a.small.length; i++) difference += Math.abs(a.small[i]! - b.small[i]!);
  return difference <= MAX_DIFFERENCE * a.small.length;
}
