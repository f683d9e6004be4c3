import { UserError } from '../../../support/user-error.ts';
import type { LowRankModule } from './factors.ts';

/**
 * Orthonormalises vectors in order, in place (Gram-Schmidt applied twice, which is accurate up to rounding). Each
 * vector loses its components along earlier vectors and along `others`, which must be orthonormal. It is then scaled to
 * length 1.
 *
 * @returns the remaining vectors in order; vectors that depend on earlier ones are removed
 */
export function orthonormalise(
  vectors: readonly Float64Array[],
  others: readonly Float64Array[] = [],
): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const vector of vectors) {
    const before = norm(vector);
    project(vector, others);
    project(vector, basis);
    const after = norm(vector);
    if (!(after > DEPENDENT * before)) continue;
    for (let i = 0; i < vector.length; i++) vector[i]! /= after;
    basis.push(vector);
  }
  return basis;
}

/** A remainder no larger than this share of the vector is rounding noise. */
const DEPENDENT = 1e-6;

/** Removes the components of a vector along orthonormal vectors. */
export function project(vector: Float64Array, basis: readonly Float64Array[]): void {
  for (let pass = 0; pass < 2; pass++) {
    for (const axis of basis) {
      const along = dot(vector, axis);
      for (let i = 0; i < vector.length; i++) vector[i]! -= along * axis[i]!;
    }
  }
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

export function norm(vector: Float64Array): number {
  return Math.sqrt(dot(vector, vector));
}

/**
 * Checks that each module has enough features. It cannot have more orthonormal vectors than features.
 *
 * @param where the setting that needs `r` orthonormal vectors
 * @throws UserError naming the first module that is too narrow
 */
export function refuseTooManyVectors(modules: readonly LowRankModule[], where: string): void {
  const narrow = modules.find(
    ({ rank, inFeatures, outFeatures }) => rank > Math.min(inFeatures, outFeatures),
  );
  if (!narrow) return;
  throw new UserError({
    where,
    fault: `must start at rank ${Math.min(narrow.inFeatures, narrow.outFeatures)} at most, the features of ${narrow.path}, got ${narrow.rank}`,
  });
}
