import { z } from 'zod';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';
import { rank } from '../shared/rank.ts';

/** GoRA's settings, with the paper's symbols and defaults. If the released code differs, its value is marked. */
export const goraConfigSchema = z
  .strictObject({
    ...adapterConfigShape,
    /** Mean rank. The budget is the number of parameters of LoRA with this rank. */
    r: rank.default(8),
    /** Minimum rank of a module. Default: half of `r`. */
    min_rank: rank.optional(),
    /** Maximum rank of a module. Default: 4 times `r`. */
    max_rank: rank.optional(),
    /** The scale of a module with rank r: `true` for `lora_alpha / sqrt(r)`, `false` for `lora_alpha / r`. */
    use_rslora: z.boolean().default(true),
    /** γ: the size of the initial increment, as a multiple of the weight's gradient. `0`: B starts at zero. */
    gamma: z.number().min(0).default(0.05),
    /** Number of batches, in optimizer steps, for the mean gradient. */
    gradient_batches: z.int().min(1).default(64),
    /**
     * Importance of a weight W with gradient G: the mean of |W G| (paper), the Frobenius norm of W G (the code's
     * default), the mean length of its `rows`, or the mean or Frobenius norm of G alone.
     */
    importance: z.enum(['mean', 'frobenius', 'rows', 'gradient-mean', 'gradient-frobenius']).default('mean'),
    /** Whether shares of the budget are in proportion to the square root of the importance. */
    root_importance: z.boolean().default(false),
    /**
     * Makes the shares of the budget a softmax with this temperature, of the importance scaled to 0 to 1. Default:
     * shares in proportion to the importance.
     */
    softmax_temperature: z.number().positive().optional(),
    /**
     * Cost of a rank in the budget: `sqrt` of the features (paper), their `sum` (the code's default), or `log` of one
     * more than the sum.
     */
    features: z.enum(['sqrt', 'sum', 'log']).default('sqrt'),
    /** How a share of the budget becomes a rank: `nearest` (paper) or `down` (code). */
    rounding: z.enum(['nearest', 'down']).default('nearest'),
    /** Sign of the initial increment: against the gradient (paper), or along it (code). */
    direction: z.enum(['descent', 'ascent']).default('descent'),
  })
  .refine(({ r, min_rank = 1 }) => min_rank <= r, { path: ['min_rank'], error: 'must not be above r' })
  .refine(({ r, max_rank = r }) => max_rank >= r, { path: ['max_rank'], error: 'must not be below r' });

export type GoraConfig = z.infer<typeof goraConfigSchema>;
