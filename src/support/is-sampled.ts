/**
 * Whether item `number` of `count` (from 1) is shown when about `most` are shown. If there are few, all are.
 * Otherwise the first, the last and evenly spaced items between. Only the number decides, so a resumed run shows the
 * same items.
 */
export function isSampled(number: number, count: number, most: number): boolean {
  if (number === count) return true;
  const share = Math.min(1, most / count);
  return Math.ceil(number * share) > Math.ceil((number - 1) * share);
}
