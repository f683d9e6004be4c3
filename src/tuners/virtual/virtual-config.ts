import { z } from 'zod';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';

/** Settings of methods that train tokens: PEFT's keys. */
export const virtualConfigShape = {
  /** Tokens before every text. They shorten the longest text by their number. */
  num_virtual_tokens: z.int().min(1).default(20),
  /** Modules trained whole beside the tokens. */
  modules_to_save: adapterConfigShape.modules_to_save,
};
