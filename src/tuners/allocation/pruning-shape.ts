import { z } from 'zod';
import { rank } from '../shared/rank.ts';

/** Keys for the pruning of components. PEFT does not have them. */
export const pruningShape = {
  /** Measure importance after the optimizer step (PEFT) or before it (paper). */
  importance_timing: z.enum(['after-step', 'before-step']).default('after-step'),
  /** Remove pruned components when the ranks are final, or only from the exported adapter (PEFT). */
  shrink: z.enum(['at-final', 'at-export']).default('at-final'),
  /** Minimum rank of every module. Default: 0. */
  min_rank: z.int().min(0).optional(),
  /** Maximum rank of every module from the first allocation on. Default: the initial rank. */
  max_rank: rank.optional(),
  /**
   * Maximum share of the budget for groups of modules, such as `{ query|key: 20% }`. Keys are module paths, suffixes or
   * regular expressions. The first match counts.
   */
  quotas: z
    .record(z.string().min(1), z.string().regex(/^(100|\d{1,2}(\.\d+)?)%$/, 'expected a share such as 20%'))
    .optional(),
};

export type PruningConfig = z.output<z.ZodObject<typeof pruningShape>>;
