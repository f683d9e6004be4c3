import type { StoredAdapter } from '../../formats/adapters/stored-adapter.ts';
import { type Export, exportAdapter } from '../low-rank/export-adapter.ts';
import type { LowRankModule } from '../low-rank/factors.ts';
import type { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { asStored } from '../low-rank/peft-adapter.ts';

/** The settings that all modules start with. */
export interface EvenSettings {
  r: number;
  lora_alpha: number;
  /** Whether the scale is alpha / √r. */
  use_rslora: boolean;
}

/**
 * Ranks of modules in PEFT's keys, with the alpha per module that keeps the scale of `r`. PEFT has no LoRA of rank 0:
 * modules of rank 0 are omitted, and then the others are named individually.
 */
export function rankKeys(modules: readonly LowRankModule[], { r, lora_alpha, use_rslora }: EvenSettings) {
  const left = modules.filter(({ rank }) => rank > 0);
  const changed = left.filter(({ rank }) => rank !== r);
  const share = (rank: number) => (use_rslora ? Math.sqrt(rank / r) : rank / r);
  return {
    r,
    use_rslora,
    rank_pattern: Object.fromEntries(changed.map(({ path, rank }) => [path, rank])),
    alpha_pattern: Object.fromEntries(changed.map(({ path, rank }) => [path, lora_alpha * share(rank)])),
    ...(left.length < modules.length && onlyThese(left)),
  };
}

/** LoRA with an individual rank for each module. */
export function storeRanked(
  made: Pick<Export, 'model' | 'targets' | 'values' | 'baseModel'>,
  config: Export['config'] & EvenSettings,
  tuner: LowRankTuner,
): StoredAdapter {
  const modules = tuner.modules.filter(({ rank }) => rank > 0);
  // The vector is unchanged: modules of rank 0 have no values in it.
  const { layout } = tuner.withModules(modules);
  const keys = rankKeys(tuner.modules, config);
  return asStored(exportAdapter({ ...made, config, modules, layout }, { peft_type: 'LORA', ...keys }));
}

/** Selects only these modules. */
export function onlyThese(modules: readonly { path: string }[]) {
  return {
    target_modules: modules.map(({ path }) => path),
    exclude_modules: null,
    layers_to_transform: null,
    layers_pattern: null,
  };
}
