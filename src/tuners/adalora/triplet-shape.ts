import { z } from 'zod';
import { scaleShape } from '../low-rank/adapter-config-shape.ts';

/** Initialisation, scale and orthogonality term of triplets, allocated or at a constant rank. */
export const tripletShape = {
  ...scaleShape,
  /**
   * Initial P and Q: normal with standard deviation 0.02 (loralib, PEFT), or orthonormal, PᵀP = QQᵀ = I, where the
   * orthogonality term (equation 4 of the paper) is minimal.
   */
  init: z.enum(['normal', 'orthonormal']).default('normal'),
  /** γ, the weight of the orthogonality term in the objective. */
  orth_reg_weight: z.number().min(0).default(0.5),
  /** The orthogonality term: mean of norms (loralib, PEFT) or sum of squared norms (paper). */
  orthogonality: z.enum(['mean-norm', 'sum-squared']).default('mean-norm'),
};
