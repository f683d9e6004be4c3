/** The length of the difference between two vectors, in parts of the second one's length. */
export function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.hypot(...Array.from(a, (value, i) => value - b[i]!)) / Math.hypot(...Array.from(b));
}
