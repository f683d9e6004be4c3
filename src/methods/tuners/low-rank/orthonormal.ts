import { InvalidConfig } from '../../../support/user-error.ts';
import type { LowRankModule } from './factors.ts';

/**
 * Orthonormalizes vectors in order, in place (Gram-Schmidt applied twice, which is accurate up to rounding). Each
 * vector loses its components along earlier vectors, and is then scaled to length 1.
 *
 * @returns the remaining vectors in order; vectors that depend on earlier ones are removed
 */
export function orthonormalize(vectors: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const vector of vectors) {
    const before = norm(vector);
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
      const along = dot64(vector, axis);
      for (let i = 0; i < vector.length; i++) vector[i]! -= along * axis[i]!;
    }
  }
}

export function dot64(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

export function norm(vector: Float64Array): number {
  return Math.sqrt(dot64(vector, vector));
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
  throw new InvalidConfig({
    where,
    fault: `must start at rank ${Math.min(narrow.inFeatures, narrow.outFeatures)} at most, the features of ${narrow.path}, got ${narrow.rank}`,
  });
}

/** A direction of unit length and its singular value. */
interface PrincipalDirection {
  strength: number;
  direction: Float64Array;
}

/** Rotations stop when no off-diagonal element exceeds this share of the diagonal. */
const ACCURACY = 1e-14;
/** Each sweep squares the remaining error, so about eight are enough. */
const MAX_SWEEPS = 30;

/**
 * The singular values and right singular vectors of the matrix with these rows, the largest first. The matrix has few
 * long rows. Jacobi rotations make them orthogonal to each other (Hestenes, 1958).
 *
 * @param rows overwritten by the directions
 * @returns one per row, each with its largest element positive; directions of strength 0 are zeros
 */
export function principalDirections(rows: readonly Float64Array[]): PrincipalDirection[] {
  for (let sweep = 0, isDone = false; !isDone && sweep < MAX_SWEEPS; sweep++) {
    isDone = true;
    for (let i = 0; i < rows.length; i++) {
      for (let j = i + 1; j < rows.length; j++) isDone = !rotate(rows[i]!, rows[j]!) && isDone;
    }
  }
  return rows
    .map((row) => {
      const strength = Math.sqrt(dot64(row, row));
      const length = largestElement(row) < 0 ? -strength : strength;
      if (strength > 0) for (let i = 0; i < row.length; i++) row[i]! /= length;
      return { strength, direction: row };
    })
    .sort((a, b) => b.strength - a.strength);
}

/** The element with the largest absolute value. */
function largestElement(row: Float64Array): number {
  return row.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
}

/** Rotates two rows until they are orthogonal. Returns false if they already are. */
function rotate(a: Float64Array, b: Float64Array): boolean {
  const [aa, bb, ab] = [dot64(a, a), dot64(b, b), dot64(a, b)];
  if (!(Math.abs(ab) > ACCURACY * Math.sqrt(aa * bb))) return false;
  const zeta = (bb - aa) / (2 * ab);
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  const sine = cosine * tangent;
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!;
    a[i] = cosine * x - sine * b[i]!;
    b[i] = sine * x + cosine * b[i]!;
  }
  return true;
}
