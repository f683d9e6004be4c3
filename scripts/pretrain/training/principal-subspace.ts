import type { Random } from '../../../src/support/random.ts';

const ITERATIONS = 30;

/**
 * An orthonormal basis of the principal subspace of some vectors. Its dimension is given. Orthogonal
 * iteration on the covariance finds it.
 */
export function principalSubspace(
  vectors: readonly Float32Array[],
  dimension: number,
  random: Random,
): Float64Array[] {
  const covariance = covarianceOf(vectors);
  const width = covariance.length;
  let basis: Float64Array[] = Array.from({ length: dimension }, () =>
    Float64Array.from({ length: width }, () => random.normal()),
  );
  for (let iteration = 0; iteration < ITERATIONS; iteration++)
    basis = orthonormal(
      basis.map((direction) => Float64Array.from(covariance, (row) => dot(row, direction))),
    );
  return basis;
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function covarianceOf(vectors: readonly Float32Array[]): Float64Array[] {
  const width = vectors[0]!.length;
  const mean = new Float64Array(width);
  for (const vector of vectors) for (let i = 0; i < width; i++) mean[i]! += vector[i]! / vectors.length;
  const covariance = Array.from({ length: width }, () => new Float64Array(width));
  for (const vector of vectors) {
    const centered = Float64Array.from(vector, (x, i) => x - mean[i]!);
    for (let i = 0; i < width; i++) {
      const row = covariance[i]!;
      const factor = centered[i]! / vectors.length;
      for (let j = 0; j < width; j++) row[j]! += factor * centered[j]!;
    }
  }
  return covariance;
}

/** Orthonormalizes vectors by the Gram-Schmidt method. */
function orthonormal(vectors: Float64Array[]): Float64Array[] {
  vectors.forEach((vector, at) => {
    for (const earlier of vectors.slice(0, at)) {
      const share = dot(vector, earlier);
      for (let i = 0; i < vector.length; i++) vector[i]! -= share * earlier[i]!;
    }
    const length = Math.sqrt(dot(vector, vector));
    for (let i = 0; i < vector.length; i++) vector[i]! /= length;
  });
  return vectors;
}
