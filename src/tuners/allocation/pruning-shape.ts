import { z } from 'zod';
import { rank } from '../shared/rank.ts';

/** How components are dropped: keys of our own. */
export const pruningShape = {
  /** Whether importance is taken after the optimizer's step (PEFT) or before it (paper). */
  importance_timing: z.enum(['after-step', 'before-step']).default('after-step'),
  /** When dropped components are removed: once the pattern is final, or only in the exported adapter (PEFT). */
  shrink: z.enum(['at-final', 'at-export']).default('at-final'),
  /** Every module keeps at least this rank, whatever its importance. Left out: 0. */
  min_rank: z.int().min(0).optional(),
  /** No module keeps more, from the first allocation on. Left out: the rank at the start. */
  max_rank: rank.optional(),
  /**
   * The most of the budget that groups of modules may keep, such as `{ query|key: 20% }`: keys are module paths, ends of paths or
   * regular expressions, of which the first that fits counts.
   */
  quotas: z
    .record(z.string().min(1), z.string().regex(/^(100|\d{1,2}(\.\d+)?)%$/, 'expected a share like 20%'))
    .optional(),
};

export type PruningConfig = z.output<z.ZodObject<typeof pruningShape>>;
