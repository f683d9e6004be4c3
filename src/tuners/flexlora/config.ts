import { z } from 'zod';
import { elasticShape } from '../elastic/elastic-shape.ts';

/** FlexLoRA's settings: the names and defaults of its code. */
export const flexLoraConfigSchema = z.strictObject({
  ...elasticShape,
  /** Which triplet a matrix loses: the one with the smallest |λ|, or the smallest λ with its sign (code). */
  removal: z.enum(['magnitude', 'signed']).default('magnitude'),
});

export type FlexLoraConfig = z.infer<typeof flexLoraConfigSchema>;
