import { multiplyExpressions, VectorLoop } from '../../engine/vectors/vector-loop.ts';
import { lazy } from '../../support/options.ts';

/** Prevents a division by zero. The constant is PyTorch's. */
const EPSILON = 1e-6;

/**
 * Returns the Euclidean norm of a flat vector, summed in float64. It is NaN or infinite exactly if an element is. So it
 * also shows whether a gradient is usable.
 */
export function globalNorm(vector: Float32Array): number {
  // Four sums, because with a single sum each addition waits for the previous one.
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = vector.length - (vector.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += vector[i]! * vector[i]!;
    b += vector[i + 1]! * vector[i + 1]!;
    c += vector[i + 2]! * vector[i + 2]!;
    d += vector[i + 3]! * vector[i + 3]!;
  }
  for (let i = whole; i < vector.length; i++) a += vector[i]! * vector[i]!;
  return Math.sqrt(a + b + (c + d));
}

/**
 * Scales `gradient` in place so that its norm is at most `maxNorm`, like `torch.nn.utils.clip_grad_norm_`. Returns the
 * norm before scaling. Does not scale if the norm is not finite or `maxNorm` is 0 (no clipping, as in Hugging Face's
 * trainer).
 */
export function clipByGlobalNorm(gradient: Float32Array, maxNorm: number): number {
  const norm = globalNorm(gradient);
  const factor = maxNorm / (norm + EPSILON);
  if (maxNorm > 0 && factor < 1 && Number.isFinite(norm)) {
    SCALED().run({ gradient }, { factor });
  }
  return norm;
}

const SCALED = lazy(
  () =>
    new VectorLoop(['gradient'], ['factor'], ({ gradient, factor }) => ({
      gradient: multiplyExpressions(gradient, factor),
    })),
);

/** Adds `weight * vector` to `total` in place. It sums the gradients of a step's micro-batches. */
export function accumulate(total: Float32Array, vector: Float32Array, weight: number): void {
  for (let i = 0; i < total.length; i++) total[i]! += weight * vector[i]!;
}
