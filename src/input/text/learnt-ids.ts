/** The tokens of an example. `learnt` is 1 for tokens that are learned, otherwise 0. */
export interface LearntIds {
  ids: Int32Array;
  learnt: Uint8Array;
}

/** The length of the common prefix of two lists. */
export function commonPrefix<T>(
  a: ArrayLike<T>,
  b: ArrayLike<T>,
  isEqual = (x: T, y: T): boolean => x === y,
): number {
  const end = Math.min(a.length, b.length);
  let length = 0;
  while (length < end && isEqual(a[length]!, b[length]!)) length++;
  return length;
}

/** Marks all tokens as learned. */
export function allLearnt(ids: Int32Array): LearntIds {
  return { ids, learnt: new Uint8Array(ids.length).fill(1) };
}
