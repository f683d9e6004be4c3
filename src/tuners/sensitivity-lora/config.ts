import { z } from 'zod';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';
import { rank } from '../shared/rank.ts';

/** Sensitivity-LoRA's settings, with the paper's symbols and defaults. */
export const sensitivityLoraConfigSchema = z
  .strictObject({
    ...adapterConfigShape,
    /** Mean rank of the modules. */
    r: rank.default(8),
    /** Scale `lora_alpha / sqrt(r)` instead of `lora_alpha / r` (rank-stabilized LoRA). */
    use_rslora: z.boolean().default(false),
    /** Number of batches whose inputs are measured. */
    calibration_batches: z.int().min(1).default(32),
    /** Share of the diagonal elements of the Hessian in the mean of the largest (k / N). */
    top_k: z.number().gt(0).max(1).default(0.5),
    /** α: share of the diagonal's sum that the elements of the effective rank must have. */
    threshold: z.number().gt(0).max(1).default(0.85),
    /** Which sensitivity decides: `global` (the trace), `local` (largest elements and effective rank), or `both`. */
    sensitivity: z.enum(['both', 'global', 'local']).default('both'),
    /** Weight of a metric in a sum: its standard deviation over its squared mean (paper), or half of its inverse mean. */
    weights: z.enum(['deviation', 'equal']).default('deviation'),
    /**
     * How sensitivities become ranks: in proportion (`scaled`, SRA), or by their order alone (`progressive`, PRA:
     * `categories` of equal size, one rank apart, around `r`).
     */
    rank_allocation: z.enum(['scaled', 'progressive']).default('scaled'),
    /** Number of categories with `rank_allocation: progressive` (the paper's example has three). */
    categories: z.int().min(1).default(3),
  })
  .refine(({ categories }) => categories === undefined || categories % 2 === 1, {
    path: ['categories'],
    error: 'must be odd, so that the mean rank is r',
  })
  .refine(({ r, categories = 1 }) => categories <= 2 * r + 1, {
    path: ['categories'],
    error: 'must be at most 2 r + 1, so that no rank is below 0',
  });

export type SensitivityLoraConfig = z.infer<typeof sensitivityLoraConfigSchema>;
