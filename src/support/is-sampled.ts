/**
 * Whether to show item `number` of `count` (from 1) if about `most` items should be shown: the first, the last and
 * evenly spaced items between. It depends only on the number, so a resumed run shows the same items.
 */
export function isSampled(number: number, count: number, most: number): boolean {
  if (number === count) return true;
  const share = Math.min(1, most / count);
  return Math.ceil(number * share) > Math.ceil((number - 1) * share);
}
