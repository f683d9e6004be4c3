import { z } from 'zod';

/** How components are dropped: keys of our own. */
export const pruningShape = {
  /** Whether importance is taken after the optimizer's step (PEFT) or before it (paper). */
  importance_timing: z.enum(['after-step', 'before-step']).default('after-step'),
  /** When dropped components are removed: once the pattern is final, or only in the exported adapter (PEFT). */
  shrink: z.enum(['at-final', 'at-export']).default('at-final'),
};

export type PruningConfig = z.output<z.ZodObject<typeof pruningShape>>;
