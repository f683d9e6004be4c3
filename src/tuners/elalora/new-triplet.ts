import type { NewTriplet } from '../elastic/changed-triplets.ts';
import { columnsOf, rowsOf } from '../low-rank/factor-vectors.ts';
import { dot, norm } from '../low-rank/orthonormal.ts';

/** Keeps a length above zero. */
const EPSILON = 1e-6;
/**
 * The largest initial λ. It is small enough not to change the model. It is not zero, so that P and Q have gradients.
 */
const LAMBDA = 1e-13;

/** The kept triplets of a module: rows of Q, λ, and columns of P. */
export interface Triplets {
  a: Float64Array[];
  e: Float64Array;
  b: Float64Array[];
}

/** Reads some triplets of a module from its factors A [rank, in], E [rank] and B [out, rank]. */
export function tripletsOf(
  a: Float32Array,
  e: Float32Array,
  b: Float32Array,
  kept: readonly number[],
): Triplets {
  const rank = e.length;
  const [rows, columns] = [rowsOf(a, 0, rank, a.length / rank), columnsOf(b, 0, rank, b.length / rank)];
  return {
    a: kept.map((i) => rows[i]!),
    e: Float64Array.from(kept, (i) => e[i]!),
    b: kept.map((i) => columns[i]!),
  };
}

/**
 * Makes a new triplet from random vectors of length 1. Their components along the other triplets' vectors are removed,
 * as if those were orthonormal.
 *
 * @param draw returns standard normal numbers
 */
export function newTriplet(
  { a, e, b }: Triplets,
  draw: (what: 'row' | 'column', length: number) => ArrayLike<number>,
): NewTriplet {
  const beside = (what: 'row' | 'column', others: readonly Float64Array[]) => {
    const vector = Float64Array.from(draw(what, others[0]!.length));
    const along = others.map((other) => dot(other, vector));
    others.forEach((other, k) => {
      for (let i = 0; i < vector.length; i++) vector[i]! -= along[k]! * other[i]!;
    });
    const length = norm(vector) + EPSILON;
    return vector.map((value) => value / length);
  };
  return { a: beside('row', a), b: beside('column', b), lambda: Math.min(LAMBDA, ...e.map(Math.abs)) };
}
