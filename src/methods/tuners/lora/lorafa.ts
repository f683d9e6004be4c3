/** PEFT's constant that keeps the matrix invertible. */
const EPSILON = 1e-8;

/** The epsilon of PEFT's optimizer, which divides by √v + ε before the bias correction. */
export const OPTIMIZER_EPSILON = 1e-6;

/** (A Aᵀ)⁻¹ of A [rank, width]. */
export function inverseGram(a: Float32Array, rank: number): Float64Array {
  const width = a.length / rank;
  const gram = Float64Array.from({ length: rank * rank }, (_, at) => {
    const [i, j] = [Math.floor(at / rank), at % rank];
    let sum = i === j ? EPSILON : 0;
    for (let k = 0; k < width; k++) sum += a[i * width + k]! * a[j * width + k]!;
    return sum;
  });
  return symmetricInverse(gram, rank);
}

/** Replaces the gradient G [out, rank] of B by G (A Aᵀ)⁻¹ / s². */
export function nearestGradient(gradient: Float32Array, inverse: Float64Array, scale: number): void {
  const rank = Math.sqrt(inverse.length);
  for (let at = 0; at < gradient.length; at += rank) {
    const row = gradient.slice(at, at + rank);
    for (let i = 0; i < rank; i++) {
      let sum = 0;
      for (let j = 0; j < rank; j++) sum += row[j]! * inverse[j * rank + i]!;
      gradient[at + i] = sum / (scale * scale);
    }
  }
}

/** Inverts a symmetric positive definite matrix [size, size] by Gauss-Jordan elimination. */
function symmetricInverse(matrix: Float64Array, size: number): Float64Array {
  const left = matrix.slice();
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++) inverse[i * size + i] = 1;
  for (let pivot = 0; pivot < size; pivot++) {
    const scale = 1 / left[pivot * size + pivot]!;
    for (const rows of [left, inverse]) for (let i = 0; i < size; i++) rows[pivot * size + i]! *= scale;
    for (let row = 0; row < size; row++) {
      const factor = left[row * size + pivot]!;
      if (row === pivot || factor === 0) continue;
      for (const rows of [left, inverse])
        for (let i = 0; i < size; i++) rows[row * size + i]! -= factor * rows[pivot * size + i]!;
    }
  }
  return inverse;
}
