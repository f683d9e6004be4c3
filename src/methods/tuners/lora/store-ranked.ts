import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { type Export, exportAdapter } from '../low-rank/export-adapter.ts';
import type { LowRankModule } from '../low-rank/factors.ts';
import type { LowRankTuner } from '../low-rank/low-rank-tuner.ts';

/** The settings that all modules start with. */
export interface EvenSettings {
  r: number;
  lora_alpha: number;
  /** Whether the scale is alpha / √r. */
  use_rslora: boolean;
}

/** Returns the alpha of a module at a rank. */
type AlphaOf = (path: string, rank: number) => number;

/** The alphas that keep the scale of `r` at every rank. */
function sameScale({ r, lora_alpha, use_rslora }: EvenSettings): AlphaOf {
  return (_, rank) => lora_alpha * (use_rslora ? Math.sqrt(rank / r) : rank / r);
}

/**
 * Ranks and alphas of modules in PEFT's keys. PEFT has no LoRA of rank 0, so modules of rank 0 are omitted. Then the
 * keys list all other modules by name.
 */
export function rankKeys(
  modules: readonly LowRankModule[],
  settings: EvenSettings,
  alphaOf: AlphaOf = sameScale(settings),
) {
  const { r, lora_alpha, use_rslora } = settings;
  const left = modules.filter(({ rank }) => rank > 0);
  const alphas = left.map(({ path, rank }) => [path, alphaOf(path, rank)] as const);
  return {
    ...{ r, lora_alpha, use_rslora },
    rank_pattern: Object.fromEntries(
      left.filter(({ rank }) => rank !== r).map(({ path, rank }) => [path, rank]),
    ),
    alpha_pattern: Object.fromEntries(alphas.filter(([, alpha]) => alpha !== lora_alpha)),
    ...(left.length < modules.length && onlyThese(left)),
  };
}

/** Stores LoRA with a rank and an alpha for each module. */
export function storeRanked(
  made: Pick<Export, 'model' | 'targets' | 'values' | 'baseModel'>,
  config: Export['config'] & EvenSettings,
  tuner: LowRankTuner,
  alphaOf?: AlphaOf,
): StoredAdapter {
  const modules = tuner.modules.filter(({ rank }) => rank > 0);
  // The vector does not change, because modules of rank 0 have no values in it.
  const { layout } = tuner.withModules(modules);
  const keys = rankKeys(tuner.modules, config, alphaOf);
  return exportAdapter({ ...made, config, modules, layout }, { peft_type: 'LORA', ...keys });
}

/** Settings that select only these modules. */
function onlyThese(modules: readonly { path: string }[]) {
  return {
    target_modules: modules.map(({ path }) => path),
    exclude_modules: null,
    layers_to_transform: null,
    layers_pattern: null,
  };
}
