import { inverseGram } from '../lora/lorafa.ts';

/**
 * The initial B [out, rank] of GoRA for a given A [rank, in]. The B for which B A is nearest to the gradient G [out,
 * in] is G Aᵀ (A Aᵀ)⁻¹. The result is that B times ξ = γ √in / α. With the scale α / √r, the increment is a step of γ
 * √(in / r) along G.
 *
 * @param factor ξ, negative for a step against the gradient
 */
export function goraStart(
  a: Float32Array,
  gradient: Float32Array,
  rank: number,
  factor: number,
): Float32Array {
  const width = a.length / rank;
  const height = gradient.length / width;
  const inverse = inverseGram(a, rank);
  const b = new Float32Array(height * rank);
  const row = new Float64Array(rank);
  for (let i = 0; i < height; i++) {
    row.fill(0);
    for (let k = 0; k < rank; k++)
      for (let j = 0; j < width; j++) row[k]! += gradient[i * width + j]! * a[k * width + j]!;
    for (let k = 0; k < rank; k++) {
      let sum = 0;
      for (let l = 0; l < rank; l++) sum += row[l]! * inverse[l * rank + k]!;
      b[i * rank + k] = factor * sum;
    }
  }
  return b;
}
