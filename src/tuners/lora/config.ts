import { z } from 'zod';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';

/** LoRA's settings: PEFT's keys and defaults. */
export const loraConfigSchema = z.strictObject({
  ...adapterConfigShape,
  r: z.int().min(1).default(8),
  /** Scale `lora_alpha / sqrt(r)` instead of `lora_alpha / r` (rank-stabilized LoRA). */
  use_rslora: z.boolean().default(false),
  /** Rank by module, where it differs from `r`: keys are module paths, ends of paths or regular expressions. */
  rank_pattern: z.record(z.string(), z.int().min(1)).default({}),
  /** Alpha by module, likewise. */
  alpha_pattern: z.record(z.string(), z.number().positive()).default({}),
  /** Weight of a term that draws the rows of A, and the columns of B, apart (the paper's LoRA + R). Left out: 0, none. */
  orth_reg_weight: z.number().min(0).optional(),
  /** The term: the cosines between them (the paper's code, and what is taken if left out), or equation 4 (its text). */
  orthogonality: z.enum(['cosine', 'sum-squared']).optional(),
});

export type LoraConfig = z.infer<typeof loraConfigSchema>;
