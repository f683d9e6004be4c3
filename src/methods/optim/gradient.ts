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
