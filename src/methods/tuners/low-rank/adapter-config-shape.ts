import { z } from 'zod';

const names = z.array(z.string().min(1)).min(1);
const nameOrNames = z.union([z.string().min(1), names]);

/** Settings that LoRA and AdaLoRA share: PEFT's keys, meanings and defaults. Spread it into a strict object. */
export const adapterConfigShape = {
  /**
   * Linear layers to adapt: a list of names, a regular expression, or `all-linear`. Default: the matrices of every
   * layer; for `lora`, `vera`, `eva`, `gora` and `sensitivity_lora` fewer, as in PEFT, such as queries and values.
   */
  target_modules: nameOrNames.optional(),
  /** Layers to exclude: a list of names or a regular expression. */
  exclude_modules: nameOrNames.optional(),
  /** Numbers of the layers to adapt. Requires `target_modules` as a list. */
  layers_to_transform: z.union([z.int().min(0), z.array(z.int().min(0)).min(1)]).optional(),
  /** Name before the layer number in a path (`layer`, `h`). Default: any. */
  layers_pattern: nameOrNames.optional(),
  /** Modules trained and saved in full: those whose path ends in a name, as in PEFT. The task's head always is. */
  modules_to_save: names.optional(),
  /** Scale of the increment: `lora_alpha` divided by the rank. */
  lora_alpha: z.number().positive().default(8),
  /** Dropout on the input of the increments. */
  lora_dropout: z.number().min(0).lt(1).default(0),
  /** Biases to train: none, those of the adapted layers, or all. */
  bias: z.enum(['none', 'lora_only', 'all']).default('none'),
};

/** The key for the scale of a module's increment. PEFT's key is `use_rslora`, which LoRA accepts too. */
export const scaleShape = {
  /**
   * `standard`: alpha / r, with the initial rank. `rslora`: alpha / √r (Kalajdzievski, 2023, arXiv 2312.03732), which keeps
   * the size of activations and gradients at high ranks.
   */
  scale: z.enum(['standard', 'rslora']).default('standard'),
};

export type ScaleConfig = z.output<z.ZodObject<typeof scaleShape>>;

export type AdapterSettings = z.output<z.ZodObject<typeof adapterConfigShape>>;
