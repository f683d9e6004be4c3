/**
 * Whether to show item `number` of `count` (from 1) if about `most` items should be shown: the first, the last and
 * evenly spaced items between. It depends only on the number, so a resumed run shows the same items.
 */
export function isSampled(number: number, count: number, most: number): boolean {
  if (number === count) return true;
  const share = Math.min(1, most / count);
  return Math.ceil(number * share) > Math.ceil((number - 1) * share);
}

/** The sum of numbers, or of the numbers that `of` returns. */
export function addUp<T>(values: Iterable<T>, of: (value: T) => number = Number): number {
  let total = 0;
  for (const value of values) total += of(value);
  return total;
}

/** The largest number, as `Math.max` without its limit: a call takes about 125,000 arguments. Without numbers -Infinity. */
export function largest(values: Iterable<number>): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const value of values) most = Math.max(most, value);
  return most;
}

/** The smallest number, as {@link largest}. Without numbers Infinity. */
export function smallest(values: Iterable<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (const value of values) least = Math.min(least, value);
  return least;
}

export function mean(values: ArrayLike<number> & Iterable<number>): number {
  return addUp(values) / values.length;
}

/** Rounds to the nearest integer, and halves to the even integer, as Python's `round`. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}

/**
 * Returns the elements of `vector` at `indices`, in that order. The index -1 gives 0. It moves values and moments when
 * the layout of a vector changes.
 */
export function gatherValues<Vector extends Float32Array | Int32Array>(
  vector: Vector,
  indices: Int32Array,
): Vector {
  const result = new (vector.constructor as new (length: number) => Vector)(indices.length);
  for (let i = 0; i < indices.length; i++) result[i] = indices[i]! < 0 ? 0 : vector[indices[i]!]!;
  return result;
}
