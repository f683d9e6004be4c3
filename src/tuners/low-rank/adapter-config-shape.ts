import { z } from 'zod';

const names = z.array(z.string().min(1)).min(1);
const nameOrNames = z.union([z.string().min(1), names]);

/** Settings that LoRA and AdaLoRA share: PEFT's keys, meanings and defaults. Spread it into a strict object. */
export const adapterConfigShape = {
  /** Linear layers to adapt: a list of names, a regular expression, or `all-linear`. */
  target_modules: nameOrNames.optional(),
  /** Layers to exclude: a list of names or a regular expression. */
  exclude_modules: nameOrNames.optional(),
  /** Layer numbers to adapt; only with a list of names. */
  layers_to_transform: z.union([z.int().min(0), z.array(z.int().min(0)).min(1)]).optional(),
  /** The name before the layer number in a path (`layer`, `h`); any name by default. */
  layers_pattern: nameOrNames.optional(),
  /** Modules trained and saved in full beside the adapter; the task's head always is. */
  modules_to_save: names.optional(),
  /** The increment is scaled by lora_alpha / rank. */
  lora_alpha: z.number().positive().default(8),
  /** Dropout on the input of the increments. */
  lora_dropout: z.number().min(0).lt(1).default(0),
  /** Biases trained and saved beside the adapter: those of the adapted layers, or all of the model. */
  bias: z.enum(['none', 'lora_only', 'all']).default('none'),
};

/** The scale of a module's increment. It is not a PEFT key; LoRA also has PEFT's `use_rslora`. */
export const scaleShape = {
  /**
   * `standard`: alpha / r, with the initial rank. `rslora`: alpha / √r (Kalajdzievski, 2023, arXiv 2312.03732), which
   * keeps the size of activations and gradients as the rank grows.
   */
  scale: z.enum(['standard', 'rslora']).default('standard'),
};

export type ScaleConfig = z.output<z.ZodObject<typeof scaleShape>>;

export type AdapterSettings = z.output<z.ZodObject<typeof adapterConfigShape>>;
