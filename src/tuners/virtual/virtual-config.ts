import { z } from 'zod';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';

/** Settings of methods that train tokens: PEFT's keys. */
export const virtualConfigShape = {
  /** Number of tokens before every text. The longest allowed text is shorter by this number. */
  num_virtual_tokens: z.int().min(1).default(20),
  /** Modules trained whole beside the tokens. */
  modules_to_save: adapterConfigShape.modules_to_save,
};
