import { z } from 'zod';
import { budgetShape } from '../allocation/budget-shape.ts';
import { oneBudget } from '../allocation/one-budget.ts';
import { pruningShape } from '../allocation/pruning-shape.ts';
import { scheduleShape } from '../allocation/schedule-shape.ts';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';
import { tripletShape } from './triplet-shape.ts';

/** AdaLoRA's settings: PEFT's keys and defaults, then ours. */
export const adaLoraConfigSchema = oneBudget(
  z.strictObject({
    ...adapterConfigShape,
    ...budgetShape,
    ...scheduleShape,
    ...tripletShape,
    ...pruningShape,
    /** What triplets are ranked by; all but the first are ablations of the paper. */
    score: z.enum(['sensitivity-uncertainty', 'sensitivity', 'magnitude']).default('sensitivity-uncertainty'),
  }),
);

export type AdaLoraConfig = z.infer<typeof adaLoraConfigSchema>;
