import { z } from 'zod';
import { virtualConfigShape } from '../virtual/virtual-config.ts';

/** The settings of prefix tuning: PEFT's keys and defaults. */
export const prefixTuningConfigSchema = z
  .strictObject({
    ...virtualConfigShape,
    /** Whether a network of two layers makes the keys and values in training. The adapter has its results only. */
    prefix_projection: z.boolean().default(false),
    /** Features between the two layers. Default: those of the keys. */
    encoder_hidden_size: z.int().min(1).optional(),
    /** `zero` starts with keys and values of zero. Default: random numbers. */
    init_weights: z.literal('zero').optional(),
  })
  .refine(({ prefix_projection, encoder_hidden_size: size }) => prefix_projection || size === undefined, {
    path: ['encoder_hidden_size'],
    error: 'requires prefix_projection: true',
  });

export type PrefixTuningConfig = z.infer<typeof prefixTuningConfigSchema>;
