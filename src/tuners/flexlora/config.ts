import { z } from 'zod';
import { elasticShape } from '../elastic/elastic-shape.ts';

/** FlexLoRA's settings, with the names and defaults of the released code. */
export const flexLoraConfigSchema = z.strictObject({
  ...elasticShape,
  /**
   * Which triplet a matrix loses: the one with the smallest |λ| (`magnitude`), or with the smallest λ (`signed`, as in
   * the released code).
   */
  removal: z.enum(['magnitude', 'signed']).default('magnitude'),
});

export type FlexLoraConfig = z.infer<typeof flexLoraConfigSchema>;
