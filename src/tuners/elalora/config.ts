import { z } from 'zod';
import { scheduleShape } from '../allocation/schedule-shape.ts';
import { elasticShape } from '../elastic/elastic-shape.ts';

const { beta1, beta2 } = scheduleShape;

/** ElaLoRA's settings, with the names and defaults of the released code. */
export const elaLoraConfigSchema = z.strictObject({
  ...elasticShape,
  /** Number of triplets of each module that take part in a move: those with the lowest scores. */
  k: z.int().min(1).default(2),
  /** Smoothing of the sensitivity (moving average). */
  beta1,
  /** Smoothing of the uncertainty (moving average). */
  beta2,
});

export type ElaLoraConfig = z.infer<typeof elaLoraConfigSchema>;
