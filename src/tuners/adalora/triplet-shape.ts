import { z } from 'zod';

/** The orthogonality term of triplets, allocated or not. */
export const tripletShape = {
  /** γ, the weight of the orthogonality term in the objective. */
  orth_reg_weight: z.number().min(0).default(0.5),
  /** The orthogonality term: mean of norms (loralib, PEFT) or sum of squared norms (paper). */
  orthogonality: z.enum(['mean-norm', 'sum-squared']).default('mean-norm'),
};
