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

/**
 * Sums over the parts of a step. Part i has the mean gradient gᵢ of bᵢ examples. Its share of the step's gradient is
 * wᵢ.
 */
export interface GradientParts {
  /** Σ wᵢ |gᵢ|² */
  squares: number;
  /** Σ wᵢ / bᵢ: the mean over the parts of 1 / (number of examples in the part). */
  perPart: number;
  /** Σ wᵢ² / bᵢ: 1 / (number of examples in the step), if the shares are proportional to numbers of examples. */
  perStep: number;
}

/** Unbiased estimates from one step. */
export interface GradientNoise {
  /** The trace of the covariance of one example's gradient. */
  variance: number;
  /** The squared length of the true gradient. */
  squared: number;
}

/**
 * The simple estimator of McCandlish et al. (2018, arXiv 1812.06162, appendix A.1), from |gᵢ|² and |Σ wᵢ gᵢ|². A mean
 * over b examples has the expected squared length |G|² + tr(Σ) / b. tr(Σ) and |G|² are averaged over steps. Their ratio
 * tr(Σ) / |G|² is the simple noise scale. A batch of about this size uses examples efficiently.
 *
 * @returns undefined if the step has a single part
 */
export function gradientNoise(
  { squares, perPart, perStep }: GradientParts,
  stepSquare: number,
): GradientNoise | undefined {
  const difference = perPart - perStep;
  if (!(difference > 0)) return undefined;
  const variance = (squares - stepSquare) / difference;
  return { variance, squared: stepSquare - variance * perStep };
}

/** Adds `weight * vector` to `total` in place. It sums the gradients of a step's micro-batches. */
export function accumulate(total: Float32Array, vector: Float32Array, weight: number): void {
  for (let i = 0; i < total.length; i++) total[i]! += weight * vector[i]!;
}
