import { z } from 'zod';
import { tripletShape } from '../adalora/triplet-shape.ts';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';
import { rank } from '../shared/rank.ts';

/** SVD-LoRA's settings: AdaLoRA's without the settings for allocation. */
export const svdLoraConfigSchema = z.strictObject({
  ...adapterConfigShape,
  /** Rank of every module. */
  r: rank.default(8),
  ...tripletShape,
});

export type SvdLoraConfig = z.infer<typeof svdLoraConfigSchema>;
