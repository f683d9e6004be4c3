import { dot } from './orthonormal.ts';

/** A direction of unit length and its singular value. */
export interface PrincipalDirection {
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
      const strength = Math.sqrt(dot(row, row));
      const length = largest(row) < 0 ? -strength : strength;
      if (strength > 0) for (let i = 0; i < row.length; i++) row[i]! /= length;
      return { strength, direction: row };
    })
    .sort((a, b) => b.strength - a.strength);
}

function largest(row: Float64Array): number {
  return row.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
}

/** Rotates two rows until they are orthogonal. Returns false if they already are. */
function rotate(a: Float64Array, b: Float64Array): boolean {
  const [aa, bb, ab] = [dot(a, a), dot(b, b), dot(a, b)];
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
