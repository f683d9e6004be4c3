/** Inverts a symmetric positive definite matrix [size, size] by Gauss-Jordan elimination. */
export function symmetricInverse(matrix: Float64Array, size: number): Float64Array {
  const left = matrix.slice();
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++) inverse[i * size + i] = 1;
  for (let pivot = 0; pivot < size; pivot++) {
    const scale = 1 / left[pivot * size + pivot];
    for (const rows of [left, inverse]) for (let i = 0; i < size; i++) rows[pivot * size + i] *= scale;
    for (let row = 0; row < size; row++) {
      const factor = left[row * size + pivot];
      if (row === pivot || factor === 0) continue;
      for (const rows of [left, inverse])
        for (let i = 0; i < size; i++) rows[row * size + i] -= factor * rows[pivot * size + i];
    }
  }
  return inverse;
}
