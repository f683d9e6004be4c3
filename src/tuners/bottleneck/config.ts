import { z } from 'zod';
import { ACTIVATION_NAMES } from '../../nn/activation.ts';

export interface BottleneckConfig {
  /** Features between the two projections. */
  bottleneck: number;
  /** The activation there, by AdapterHub's names, which are transformers'. */
  non_linearity: string;
}

/** The section of a method with bottleneck adapters. */
export function bottleneckSchema({ bottleneck, non_linearity }: BottleneckConfig) {
  return z.strictObject({
    bottleneck: z.int().min(1).default(bottleneck),
    non_linearity: z.enum(ACTIVATION_NAMES).default(non_linearity),
  });
}
