/**
 * Whether one of `count` things, the first being number 1, is among those shown when at most `most` and the last are: all of
 * them when there are few, else the first, the last and some evenly between. Its number alone decides, so that a resumed
 * run shows the same ones.
 */
export function isSampled(number: number, count: number, most: number): boolean {
  if (number === count) return true;
  const share = Math.min(1, most / count);
  return Math.ceil(number * share) > Math.ceil((number - 1) * share);
}
