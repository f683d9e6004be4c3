import { z } from 'zod';

/** Keys for the removal of pruned components. PEFT does not have them. */
export const pruningShape = {
  /** Remove pruned components when the ranks are final, or only from the exported adapter (PEFT). */
  shrink: z.enum(['at-final', 'at-export']).default('at-final'),
};

export type PruningConfig = z.output<z.ZodObject<typeof pruningShape>>;
