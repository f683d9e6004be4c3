import { z } from 'zod';
import { tripletShape } from '../adalora/triplet-shape.ts';
import { budgetShape } from '../allocation/budget-shape.ts';
import { oneBudget } from '../allocation/one-budget.ts';
import { pruningShape } from '../allocation/pruning-shape.ts';
import { scheduleShape } from '../allocation/schedule-shape.ts';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';

/** AdaDoRA's settings: AdaLoRA's. Every module keeps at least one triplet. */
export const adaDoraConfigSchema = oneBudget(
  z.strictObject({
    ...adapterConfigShape,
    ...budgetShape,
    ...scheduleShape,
    ...tripletShape,
    ...pruningShape,
    /**
     * Minimum rank of every module. At least 1, because PEFT cannot store a module of rank 0, and its magnitude would
     * be lost.
     */
    min_rank: z.int().min(1).default(1),
  }),
);

export type AdaDoraConfig = z.infer<typeof adaDoraConfigSchema>;
