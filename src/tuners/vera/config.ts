import { z } from 'zod';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';
import { rank } from '../shared/rank.ts';

const { target_modules, layers_to_transform, layers_pattern, modules_to_save } = adapterConfigShape;

/** VeRA's settings: PEFT's keys and defaults. */
export const veraConfigSchema = z.strictObject({
  /** Rank of the shared matrices. It is higher than LoRA's because it adds few parameters. */
  r: rank.default(256),
  /** Modules to adapt: names, or a regular expression. */
  target_modules,
  /** Numbers of the layers to adapt. Default: all. */
  layers_to_transform,
  /** Name of the list of layers in module paths. */
  layers_pattern,
  /** Modules to train in full besides the adapter. */
  modules_to_save,
  /** Seed of the shared matrices A and B. */
  projection_prng_key: z.int().min(0).max(0xffff_ffff).default(0),
  /**
   * Whether the adapter file contains A and B. Without A and B it is smaller, but a reader must generate them with the
   * same random generator.
   */
  save_projection: z.boolean().default(true),
  /** Dropout on the input of the increments. */
  vera_dropout: z.number().min(0).lt(1).default(0),
  /** Initial value of the factors between A and B. */
  d_initial: z.number().default(0.1),
  /** Biases to train and save with the adapter: none, those of the adapted layers, or all of the model. */
  bias: z.enum(['none', 'vera_only', 'all']).default('none'),
});

export type VeraConfig = z.infer<typeof veraConfigSchema>;
