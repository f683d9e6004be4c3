import { z } from 'zod';
import { ACTIVATION_NAMES, type ActivationName } from '../../nn/activation.ts';
import { rank } from '../shared/rank.ts';

export interface BottleneckConfig {
  bottleneck: number;
  non_linearity: ActivationName;
}

/** The section of a method with bottleneck adapters. */
export function bottleneckSchema({ bottleneck, non_linearity }: BottleneckConfig) {
  return z.strictObject({
    /** Width between the two projections. */
    bottleneck: rank.default(bottleneck),
    /** Activation, named as in transformers and AdapterHub. */
    non_linearity: z.enum(ACTIVATION_NAMES).default(non_linearity),
  });
}
