/** The tokens of an example and which of them are to be learnt, 1 or 0 each. */
export interface LearntIds {
  ids: Int32Array;
  learnt: Uint8Array;
}

/** How many ids two texts begin with in common. */
export function commonPrefix(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const end = Math.min(a.length, b.length);
  let length = 0;
  while (length < end && a[length] === b[length]) length++;
  return length;
}

/** All tokens to be learnt. */
export function allLearnt(ids: Int32Array): LearntIds {
  return { ids, learnt: new Uint8Array(ids.length).fill(1) };
}
