import { z } from 'zod';
import { tripletShape } from '../adalora/triplet-shape.ts';
import { budgetShape } from '../allocation/budget-shape.ts';
import { oneBudget } from '../allocation/one-budget.ts';
import { scheduleShape } from '../allocation/schedule-shape.ts';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';

/** IGU-LoRA's settings: AdaLoRA's settings, and settings for its integrated gradients. */
export const iguLoraConfigSchema = oneBudget(
  z.strictObject({
    ...adapterConfigShape,
    ...budgetShape,
    ...scheduleShape,
    ...tripletShape,
    /** Number of points between zero and the weights at which gradients are taken. Each step uses a random one. `1`: no path. */
    path_points: z.int().min(1).default(20),
    /** Initial λ of all triplets. */
    initial_lambda: z.number().default(0.1),
    /**
     * Whether training starts again when the ranks are final: the kept triplets and the head return to their initial
     * values, as in the released code's second run. Default: they train on.
     */
    restart: z.boolean().default(false),
  }),
);

export type IguLoraConfig = z.infer<typeof iguLoraConfigSchema>;
