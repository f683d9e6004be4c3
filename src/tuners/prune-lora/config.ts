import { z } from 'zod';
import { budgetShape } from '../allocation/budget-shape.ts';
import { oneBudget } from '../allocation/one-budget.ts';
import { pruningShape } from '../allocation/pruning-shape.ts';
import { scheduleShape } from '../allocation/schedule-shape.ts';
import { scoreNamed } from '../allocation/score-shape.ts';
import { adapterConfigShape, scaleShape } from '../low-rank/adapter-config-shape.ts';

const SCORES = ['sensitivity-uncertainty', 'signal-to-noise', 'sensitivity'] as const;

/** Prune-LoRA's settings: AdaLoRA's without the settings for λ and orthogonality. */
export const pruneLoraConfigSchema = oneBudget(
  z.strictObject({
    ...adapterConfigShape,
    ...scaleShape,
    ...budgetShape,
    ...scheduleShape,
    ...pruningShape,
    /**
     * Importance score of a doublet: by the averages of sensitivity and uncertainty, or by the last step only. A
     * program may give a function.
     */
    score: scoreNamed(SCORES).default('sensitivity-uncertainty'),
  }),
);

export type PruneLoraConfig = z.infer<typeof pruneLoraConfigSchema>;
