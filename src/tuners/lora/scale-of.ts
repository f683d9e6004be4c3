import type { LoraConfig } from './config.ts';

/** Whether the scale is rsLoRA's, by PEFT's key or adalora's. */
export function isRankStabilised({ use_rslora, scale }: Pick<LoraConfig, 'use_rslora' | 'scale'>): boolean {
  return use_rslora || scale === 'rslora';
}
