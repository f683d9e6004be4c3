/**
 * Makes vectors orthonormal in order, in place (Gram and Schmidt, twice over, which is orthogonal to the last digits): each
 * loses its part along those before it and along `others`, which must be orthonormal, and gets length 1.
 *
 * @returns those that are left, in order: what depends on earlier ones is not among them
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
    for (let i = 0; i < vector.length; i++) vector[i] /= after;
    basis.push(vector);
  }
  return basis;
}

/** What is left of a vector that is no more than rounding, as a share. */
const DEPENDENT = 1e-6;

/** Takes away the parts of a vector along orthonormal ones. */
export function project(vector: Float64Array, basis: readonly Float64Array[]): void {
  for (let pass = 0; pass < 2; pass++) {
    for (const axis of basis) {
      const along = dot(vector, axis);
      for (let i = 0; i < vector.length; i++) vector[i] -= along * axis[i];
    }
  }
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

export function norm(vector: Float64Array): number {
  return Math.sqrt(dot(vector, vector));
}
