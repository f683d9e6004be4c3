import { onlyThese } from '../lora/store-ranked.ts';
import type { LowRankModule } from '../low-rank/factors.ts';

/** The settings that all modules start with, in PEFT's keys. */
export interface MeasuredSettings {
  r: number;
  lora_alpha: number;
  use_rslora: boolean;
  rank_pattern: Readonly<Record<string, number>>;
  alpha_pattern: Readonly<Record<string, number>>;
}

/**
 * Measured ranks in PEFT's keys. PEFT has no LoRA of rank 0: such modules are omitted, and then the others are named
 * one by one.
 *
 * @param alpha of a module at a rank
 */
export function measuredKeys(
  modules: readonly LowRankModule[],
  { r, lora_alpha, use_rslora }: MeasuredSettings,
  alpha: (path: string, rank: number) => number,
) {
  const left = modules.filter(({ rank }) => rank > 0);
  const alphas = left.map(({ path, rank }) => [path, alpha(path, rank)] as const);
  return {
    ...{ r, lora_alpha, use_rslora },
    rank_pattern: Object.fromEntries(
      left.filter(({ rank }) => rank !== r).map(({ path, rank }) => [path, rank]),
    ),
    alpha_pattern: Object.fromEntries(alphas.filter(([, own]) => own !== lora_alpha)),
    ...(left.length < modules.length && onlyThese(left)),
  };
}
