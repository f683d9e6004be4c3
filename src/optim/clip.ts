/** Guards the division where the norm is zero; PyTorch's constant. */
const EPSILON = 1e-6;

/**
 * Euclidean norm of a flat vector, summed in 64 bits. It is NaN or infinite exactly when an element is, so it serves
 * as the test whether a gradient is usable.
 */
export function globalNorm(vector: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i] * vector[i];
  return Math.sqrt(sum);
}

/**
 * Scales `gradient` in place so that its norm is at most `maxNorm`, as `torch.nn.utils.clip_grad_norm_`, and returns
 * the norm it had. Does not scale when `maxNorm` is 0 (no clipping, as in Hugging Face's trainer) or the norm is
 * not finite.
 */
export function clipByGlobalNorm(gradient: Float32Array, maxNorm: number): number {
  const norm = globalNorm(gradient);
  const factor = maxNorm / (norm + EPSILON);
  if (maxNorm > 0 && factor < 1 && Number.isFinite(norm)) {
    for (let i = 0; i < gradient.length; i++) gradient[i] *= factor;
  }
  return norm;
}
