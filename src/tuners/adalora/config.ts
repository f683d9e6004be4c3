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
    /**
     * The score that ranks triplets. `sensitivity` and `magnitude` are ablations of the paper; `signal-to-noise`
     * divides by the uncertainty instead of multiplying (IGU-LoRA).
     */
    score: z
      .enum(['sensitivity-uncertainty', 'signal-to-noise', 'sensitivity', 'magnitude'])
      .default('sensitivity-uncertainty'),
    /**
     * Whether dropped triplets restart from the gradient's leading directions, until the pattern is final (ElaLoRA).
     */
    grow: z.boolean().default(false),
  }),
);

export type AdaLoraConfig = z.infer<typeof adaLoraConfigSchema>;
