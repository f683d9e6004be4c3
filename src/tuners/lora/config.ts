import { z } from 'zod';
import { adapterConfigShape, scaleShape } from '../low-rank/adapter-config-shape.ts';
import { rank } from '../shared/rank.ts';

const ALLOCATION_BATCHES = 8;

/** LoRA's settings: PEFT's keys and defaults. */
export const loraConfigSchema = z
  .strictObject({
    ...adapterConfigShape,
    /** Rank of every module. */
    r: rank.default(8),
    /** Scale `lora_alpha / sqrt(r)` instead of `lora_alpha / r` (rank-stabilized LoRA). */
    use_rslora: z.boolean().default(false),
    /** The same under the name that other methods use: `rslora`. */
    scale: scaleShape.scale.unwrap().optional(),
    /** Rank by module, if it differs from `r`. Keys are module paths, ends of paths or regular expressions. */
    rank_pattern: z.record(z.string(), rank).default({}),
    /** Alpha by module, with the same keys. */
    alpha_pattern: z.record(z.string(), z.number().positive()).default({}),
    /**
     * `before-training`: `r` is the mean rank, and the gradient of some batches at step 0 decides its distribution
     * over the modules. The run's folder gets `rank_pattern.json`, which any LoRA tool can train from. `even`: ranks
     * are exactly `r` and `rank_pattern`.
     */
    allocation: z.enum(['even', 'before-training']).default('even'),
    /** Optimizer steps' worth of batches for the gradient of `before-training`. */
    allocation_batches: z.int().min(1).default(ALLOCATION_BATCHES),
    /**
     * Weight of a term that makes the rows of A, and the columns of B, orthogonal (the paper's LoRA + R). Default: 0,
     * no term.
     */
    orth_reg_weight: z.number().min(0).optional(),
    /** The term: the cosines between them (the default, from the paper's code), or equation 4 (from its text). */
    orthogonality: z.enum(['cosine', 'sum-squared']).optional(),
  })
  .refine((config) => !Object(config).use_rslora || Object(config).scale !== 'standard', {
    path: ['scale'],
    error: 'expected rslora beside use_rslora: true',
    when: () => true,
  })
  .refine(
    ({ orthogonality, orth_reg_weight }) => orthogonality === undefined || orth_reg_weight !== undefined,
    {
      path: ['orthogonality'],
      error: 'expected it to be left out without orth_reg_weight, the weight of that term',
    },
  )
  .refine(
    ({ r, rank_pattern, orth_reg_weight = 0, orthogonality }) =>
      orth_reg_weight === 0 ||
      orthogonality === 'sum-squared' ||
      Math.max(r, ...Object.values(rank_pattern)) > 1,
    {
      path: ['orth_reg_weight'],
      error: 'expected it to be left out at rank 1, where there are no two rows to draw apart',
    },
  )
  .refine(
    ({ allocation, allocation_batches: batches }) => allocation !== 'even' || batches === ALLOCATION_BATCHES,
    {
      path: ['allocation_batches'],
      error: 'expected it to be left out without allocation: before-training, which reads them',
    },
  )
  .refine(({ allocation, rank_pattern }) => allocation === 'even' || Object.keys(rank_pattern).length === 0, {
    path: ['rank_pattern'],
    error: 'expected it to be left out beside allocation: before-training, which finds it',
  })
  .refine(
    ({ allocation, alpha_pattern }) => allocation === 'even' || Object.keys(alpha_pattern).length === 0,
    {
      path: ['alpha_pattern'],
      error: 'expected it to be left out beside allocation: before-training, which finds it',
    },
  );

export type LoraConfig = z.infer<typeof loraConfigSchema>;
