import type { Likeness } from './likeness-scores.ts';

/** Compares a model's vectors. */
export const DENSE: Likeness<Float32Array> = {
  cosine,
  ranking(candidates) {
    const units = candidates.map(unit);
    return (query, count, left) => nearestOf(query, units, count, left).map(({ number }) => number);
  },
};

/** Scales a vector to length 1. Zeros remain zeros. */
export function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector));
  return length === 0 ? vector : vector.map((x) => x / length);
}

export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

export function cosine(a: Float32Array, b: Float32Array): number {
  return dot(unit(a), unit(b));
}

/**
 * The indices of the candidates with the largest cosines to a query, the best first. Equal candidates keep their order.
 *
 * @param candidates vectors of length 1
 * @param left the index of a candidate to leave out
 */
export function nearestOf(
  query: Float32Array,
  candidates: readonly Float32Array[],
  count: number,
  left?: number,
): { number: number; score: number }[] {
  const queryVector = unit(query);
  return candidates
    .map((candidate, number) => ({ number, score: dot(queryVector, candidate) }))
    .filter(({ number }) => number !== left)
    .sort((a, b) => b.score - a.score || a.number - b.number)
    .slice(0, count);
}
