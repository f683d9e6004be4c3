import { z } from 'zod';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';
import { rank } from '../shared/rank.ts';

/** EVA's settings: the keys and defaults of PEFT's `LoraConfig` and `EvaConfig`. */
export const evaConfigSchema = z.strictObject({
  ...adapterConfigShape,
  /** Mean rank of the modules. */
  r: rank.default(8),
  /** Scale `lora_alpha / sqrt(r)` instead of `lora_alpha / r` (rank-stabilized LoRA). */
  use_rslora: z.boolean().default(false),
  /**
   * Ranks of some modules, used instead of `r` when the total budget is added up. Keys are module paths, suffixes or
   * regular expressions.
   */
  rank_pattern: z.record(z.string(), rank).default({}),
  /** Alphas that differ from `lora_alpha`, with keys as in `rank_pattern`. */
  alpha_pattern: z.record(z.string(), z.number().positive()).default({}),
  /** Maximum rank of a module, as a multiple of `r`. `1` gives every module the rank `r`. */
  rho: z.number().min(1).default(2),
  /**
   * Minimum cosine between a direction and its value one batch before. A module is done when all its directions reach
   * it.
   */
  tau: z.number().gt(0).max(1).default(0.99),
  /** Divide directions by the square root of their singular values. */
  whiten: z.boolean().default(false),
  /** Whether every rank keeps the scale of `r`. `false`: each module has the scale of its own rank. */
  adjust_scaling_factors: z.boolean().default(true),
  /** Maximum number of batches. If directions still change after that, the run ends with an error. */
  max_batches: z.int().min(2).default(1000),
});

export type EvaConfig = z.infer<typeof evaConfigSchema>;
