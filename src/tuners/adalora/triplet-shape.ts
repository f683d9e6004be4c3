import { z } from 'zod';
import { scaleShape } from '../low-rank/adapter-config-shape.ts';

/** How triplets begin, their scale and their orthogonality term, allocated or not. */
export const tripletShape = {
  ...scaleShape,
  /**
   * P and Q at the start: normal with standard deviation 0.02 (loralib, PEFT), or orthonormal, PᵀP = QQᵀ = I, where the
   * orthogonality term (equation 4 of the paper) has its least value.
   */
  init: z.enum(['normal', 'orthonormal']).default('normal'),
  /** γ, the weight of the orthogonality term in the objective. */
  orth_reg_weight: z.number().min(0).default(0.5),
  /** The orthogonality term: mean of norms (loralib, PEFT) or sum of squared norms (paper). */
  orthogonality: z.enum(['mean-norm', 'sum-squared']).default('mean-norm'),
};
