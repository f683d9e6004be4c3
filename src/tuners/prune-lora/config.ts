import { z } from 'zod';
import { budgetShape } from '../allocation/budget-shape.ts';
import { oneBudget } from '../allocation/one-budget.ts';
import { pruningShape } from '../allocation/pruning-shape.ts';
import { scheduleShape } from '../allocation/schedule-shape.ts';
import { adapterConfigShape, scaleShape } from '../low-rank/adapter-config-shape.ts';

/** Prune-LoRA's settings: AdaLoRA's, without those of λ and of orthogonality. */
export const pruneLoraConfigSchema = oneBudget(
  z.strictObject({
    ...adapterConfigShape,
    ...scaleShape,
    ...budgetShape,
    ...scheduleShape,
    ...pruningShape,
    /**
     * The score that ranks doublets: the averages of importance, combined as in AdaLoRA or IGU-LoRA, or the
     * importance of the last step alone.
     */
    score: z
      .enum(['sensitivity-uncertainty', 'signal-to-noise', 'sensitivity'])
      .default('sensitivity-uncertainty'),
  }),
);

export type PruneLoraConfig = z.infer<typeof pruneLoraConfigSchema>;
