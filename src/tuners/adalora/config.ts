import { z } from 'zod';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';

const SHARE = /^(100|\d{1,2}(\.\d+)?)%$/;

/** A number of optimizer steps, or a share of the run such as `10%`. */
const steps = (least: number) =>
  z.union([z.int().min(least), z.string().regex(SHARE, 'expected a share like 10%')], {
    error: `expected a count from ${least} or a share like 10%`,
  });

/** AdaLoRA's settings: PEFT's keys and defaults, then ours. `total_step` is computed. */
export const adaLoraConfigSchema = z.strictObject({
  ...adapterConfigShape,
  /** Average rank in the end. */
  target_r: z.int().min(1).default(8),
  /** Rank of every module at the start; it also sets the scale, `lora_alpha / init_r`, for ever. */
  init_r: z.int().min(1).default(12),
  /** Steps before the budget begins to fall. */
  tinit: steps(0).default(0),
  /** Steps after the final pattern is chosen. */
  tfinal: steps(0).default(0),
  /** Steps between two allocations. */
  deltaT: steps(1).default(1),
  /** Smoothing of the sensitivity. */
  beta1: z.number().gt(0).lt(1).default(0.85),
  /** Smoothing of the uncertainty. */
  beta2: z.number().gt(0).lt(1).default(0.85),
  /** γ, the weight of the orthogonality term in the objective. */
  orth_reg_weight: z.number().min(0).default(0.5),
  /** The orthogonality term: mean of norms (loralib, PEFT) or sum of squared norms (paper). */
  orthogonality: z.enum(['mean-norm', 'sum-squared']).default('mean-norm'),
  /** Whether importance is taken after the optimizer's step (PEFT) or before it (paper). */
  importance_timing: z.enum(['after-step', 'before-step']).default('after-step'),
  /** When dropped triplets are removed: once the pattern is final, or only in the exported adapter (PEFT). */
  shrink: z.enum(['at-final', 'at-export']).default('at-final'),
  /** What triplets are ranked by; all but the first are ablations of the paper. */
  score: z.enum(['sensitivity-uncertainty', 'sensitivity', 'magnitude']).default('sensitivity-uncertainty'),
});

export type AdaLoraConfig = z.infer<typeof adaLoraConfigSchema>;
