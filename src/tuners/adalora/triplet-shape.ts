import { z } from 'zod';
import { scaleShape } from '../low-rank/adapter-config-shape.ts';

/** The keys for initial values, scale and orthogonality term of triplets. They apply with and without allocation. */
export const tripletShape = {
  ...scaleShape,
  /**
   * Initial P and Q: normal with standard deviation 0.02 (loralib, PEFT), or orthonormal, which minimises the
   * orthogonality term (equation 4 of the paper).
   */
  init: z.enum(['normal', 'orthonormal']).default('normal'),
  /** Weight γ of the orthogonality term in the loss. */
  orth_reg_weight: z.number().min(0).default(0.5),
};
