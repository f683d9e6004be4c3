import { z } from 'zod';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';

const { target_modules, exclude_modules, modules_to_save } = adapterConfigShape;

/** IA3's settings: PEFT's keys. */
export const ia3ConfigSchema = z.strictObject({
  /** Modules that are rescaled: names, or a regular expression. */
  target_modules,
  /** Modules that are not rescaled. */
  exclude_modules,
  /** The target modules whose input is rescaled instead of their output: names, or a regular expression. */
  feedforward_modules: target_modules,
  /** Modules to train in full besides the adapter. */
  modules_to_save,
});

export type Ia3Config = z.infer<typeof ia3ConfigSchema>;
