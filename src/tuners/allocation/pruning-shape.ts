import { z } from 'zod';

/** Keys for the pruning of components. PEFT does not have them. */
export const pruningShape = {
  /** Measure importance after the optimizer step (PEFT) or before it (paper). */
  importance_timing: z.enum(['after-step', 'before-step']).default('after-step'),
  /** Remove pruned components when the ranks are final, or only from the exported adapter (PEFT). */
  shrink: z.enum(['at-final', 'at-export']).default('at-final'),
};

export type PruningConfig = z.output<z.ZodObject<typeof pruningShape>>;
