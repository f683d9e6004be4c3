import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { elementCount } from '../../../support/arrays.ts';
import { UserError } from '../../../support/user-error.ts';
import type { LowRankModule } from '../low-rank/factors.ts';
import { type Export, exportLowRank, lowRankKind, rankedModules } from '../low-rank/low-rank-files.ts';
import type { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { loraRank, loraScale } from '../low-rank/patterns-and-scales.ts';
import { LORA_FILES, type LoraAdapterConfig } from '../low-rank/peft-config.ts';
import { listParameters, type TunerOf } from '../peft/peft-files.ts';
import type { ReadParameter, TunableModel } from '../tuner.ts';
import { type LoraSettings, LoraTuner } from './lora-tuner.ts';
import { weightStart } from './start-factors.ts';

/** The words of methods that end as LoRA. */
export const PAIR_WORDS = { library: 'peft', components: 'doublets', factors: ['B', 'A'] } as const;

/** Adapters of PEFT's type LORA: from plain LoRA, and from methods that end as LoRA. */
export const loraKind = lowRankKind(LORA_FILES, loraOfFile({ lora_dropout: 0 }), ({ use_dora }) => ({
  settings: use_dora ? { use_dora } : {},
}));

/** Makes the tuner of a stored adapter. Its file defines the adapter, and `settings` define how it is trained. */
export function loraOfFile(settings: LoraSettings): TunerOf<LoraAdapterConfig, LoraTuner> {
  return (read, model, where) => {
    const { config, saved } = read;
    const modules = rankedModules(
      read,
      where,
      (path) => loraRank(config, path),
      (path, rank) => loraScale(config, path, rank),
    );
    const init = weightStart(config.init_lora_weights);
    const own = { ...settings, use_dora: config.use_dora, init_lora_weights: init };
    const tuner = new LoraTuner(own, modules, listParameters(saved));
    if (init) tuner.takeStart(0, createReader(model, where));
    return tuner;
  };
}

function createReader({ readRange }: TunableModel, where: string): ReadParameter {
  if (readRange) return (name, shape) => readRange(name, 0, elementCount(shape));
  throw new UserError({
    where: `${where}: init_lora_weights`,
    fault: 'needs the weights of the base model, which are not here',
    hint: 'Set it to true.',
  });
}

/** The settings that all modules start with. */
interface EvenSettings {
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
    r,
    lora_alpha,
    use_rslora,
    rank_pattern: Object.fromEntries(
      left.filter(({ rank }) => rank !== r).map(({ path, rank }) => [path, rank]),
    ),
    alpha_pattern: Object.fromEntries(alphas.filter(([, alpha]) => alpha !== lora_alpha)),
    ...(left.length < modules.length && onlyThese(left)),
  };
}

/** Stores LoRA with a rank and an alpha for each module. */
export function storeRanked(
  made: Pick<Export, 'model' | 'values' | 'baseModel'>,
  config: Export['config'] & EvenSettings,
  tuner: LowRankTuner,
  alphaOf?: AlphaOf,
): StoredAdapter {
  const modules = tuner.modules.filter(({ rank }) => rank > 0);
  // The vector does not change, because modules of rank 0 have no values in it.
  const { layout } = tuner.withModules(modules);
  const keys = rankKeys(tuner.modules, config, alphaOf);
  return exportLowRank({ ...made, config, modules, layout }, { peft_type: 'LORA', ...keys });
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
