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
    /** `rslora` has the same effect as `use_rslora`. */
    scale: scaleShape.scale.unwrap().optional(),
    /** Ranks that differ from `r`. Keys are module paths, suffixes or regular expressions. */
    rank_pattern: z.record(z.string(), rank).default({}),
    /** Alphas that differ from `lora_alpha`, with keys as in `rank_pattern`. */
    alpha_pattern: z.record(z.string(), z.number().positive()).default({}),
    /**
     * `before-training` distributes a mean rank of `r` by the gradient of some batches, and writes `rank_pattern.json` for other
     * LoRA tools. `even` uses `r` and `rank_pattern` as they are.
     */
    allocation: z.enum(['even', 'before-training']).default('even'),
    /** Number of batches, in optimizer steps, for `allocation: before-training`. */
    allocation_batches: z.int().min(1).default(ALLOCATION_BATCHES),
    /** Weight of the orthogonality term of A and B (the paper's LoRA + R). Default: 0. */
    orth_reg_weight: z.number().min(0).optional(),
    /** Orthogonality term: cosines (the paper's code, default) or equation 4 (its text). */
    orthogonality: z.enum(['cosine', 'sum-squared']).optional(),
  })
  .refine((config) => !Object(config).use_rslora || Object(config).scale !== 'standard', {
    path: ['scale'],
    error: 'expected rslora with use_rslora: true',
    when: () => true,
  })
  .refine(
    ({ orthogonality, orth_reg_weight }) => orthogonality === undefined || orth_reg_weight !== undefined,
    {
      path: ['orthogonality'],
      error: 'requires orth_reg_weight',
    },
  )
  .refine(
    ({ r, rank_pattern, orth_reg_weight = 0, orthogonality }) =>
      orth_reg_weight === 0 ||
      orthogonality === 'sum-squared' ||
      Math.max(r, ...Object.values(rank_pattern)) > 1,
    {
      path: ['orth_reg_weight'],
      error: 'requires a rank above 1',
    },
  )
  .refine(
    ({ allocation, allocation_batches: batches }) => allocation !== 'even' || batches === ALLOCATION_BATCHES,
    {
      path: ['allocation_batches'],
      error: 'requires allocation: before-training',
    },
  )
  .refine(({ allocation, rank_pattern }) => allocation === 'even' || Object.keys(rank_pattern).length === 0, {
    path: ['rank_pattern'],
    error: 'cannot be combined with allocation: before-training',
  })
  .refine(
    ({ allocation, alpha_pattern }) => allocation === 'even' || Object.keys(alpha_pattern).length === 0,
    {
      path: ['alpha_pattern'],
      error: 'cannot be combined with allocation: before-training',
    },
  );

export type LoraConfig = z.infer<typeof loraConfigSchema>;
