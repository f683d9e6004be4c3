import { z } from 'zod';
import { budgetShape } from '../allocation/budget-shape.ts';
import { oneBudget } from '../allocation/one-budget.ts';
import { pruningShape } from '../allocation/pruning-shape.ts';
import { scheduleShape } from '../allocation/schedule-shape.ts';
import { scoreNamed } from '../allocation/score-shape.ts';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';
import { tripletShape } from './triplet-shape.ts';

const SCORES = ['sensitivity-uncertainty', 'signal-to-noise', 'sensitivity', 'magnitude'] as const;

/** AdaLoRA's settings: first PEFT's keys with their defaults, then further keys. */
export const adaLoraConfigSchema = oneBudget(
  z.strictObject({
    ...adapterConfigShape,
    ...budgetShape,
    ...scheduleShape,
    ...tripletShape,
    ...pruningShape,
    /**
     * Importance score of a triplet. `sensitivity` and `magnitude` are the paper's ablations. `signal-to-noise`, which
     * is not in the paper, divides by the uncertainty instead of multiplying by it. A program may give a function.
     */
    score: scoreNamed(SCORES).default('sensitivity-uncertainty'),
  }),
);

export type AdaLoraConfig = z.infer<typeof adaLoraConfigSchema>;
