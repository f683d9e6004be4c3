import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { elementCount } from '../../../support/arrays.ts';
import { Random } from '../../../support/random.ts';
import { UserError } from '../../../support/user-error.ts';
import { allocate } from '../allocation/allocate.ts';
import { keptCount } from '../allocation/pruned-module.ts';
import { factorsIn, type LowRankModule, matrixRows, selectColumns, setColumn } from '../low-rank/factors.ts';
import { type Export, exportLowRank, lowRankKind, rankedModules } from '../low-rank/low-rank-files.ts';
import type { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { orthonormalise, principalDirections } from '../low-rank/orthonormal.ts';
import { loraRank, loraScale } from '../low-rank/patterns-and-scales.ts';
import { LORA_FILES, type LoraAdapterConfig } from '../low-rank/peft-config.ts';
import { MeasuredRun } from '../measured/measured-run.ts';
import type { GradientAt } from '../method-run.ts';
import { listParameters, type TunerOf } from '../peft/peft-files.ts';
import type { ReadParameter, TunableModel } from '../tuner.ts';
import { isRankStabilised, type LoraConfig } from './config.ts';
import { type LoraSettings, LoraTuner } from './lora-tuner.ts';
import { weightStart } from './start-factors.ts';

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

/** The maximum rank of a module, as a multiple of the mean. */
const LARGEST_OVER_MEAN = 2;

/**
 * LoRA with ranks chosen before the first step (`allocation: before-training`), by how much each direction could lower
 * the loss.
 *
 * G is the gradient of the loss with respect to a module's weight, over some batches, and σ_1 ≥ σ_2 ≥ … are its
 * singular values. An increment λ p qᵀ with |p| = |q| = 1 changes the loss by -λ σ_i at best, if p and q are the i-th
 * singular vectors. So σ_i is the sensitivity of AdaLoRA's best i-th triplet before training. The n r largest σ of all
 * n modules are kept. A module's rank is the number of its kept σ, from 0 to 2 r. Alphas are set so that all modules
 * keep the scale of `r`.
 *
 * No paper describes this allocation; GoRA and EVA are separate methods (`gora`, `eva`). G is never computed: LoRA's
 * own gradients project it onto 2 r directions, ∂C/∂B = G Aᵀ and ∂C/∂A = Bᵀ G. A random A gives a basis B of the range
 * of G, and B then gives the σ (Halko, Martinsson and Tropp, 2011, algorithms 4.1 and 5.1).
 */
export class RankedRun extends MeasuredRun {
  constructor(
    even: LoraTuner,
    config: LoraConfig,
    store: (tuner: LoraTuner, values: Float32Array, baseModel: string) => StoredAdapter,
  ) {
    const { r, allocation_batches: steps } = config;
    const probe = new LoraTuner({ lora_dropout: 0 }, even.modules.map(probed(r)), even.saved);
    super({
      even,
      measurement: { tuner: probe, steps, measures: `the gradients of ${steps} steps' batches, read twice,` },
      measure: async (seed, initial, gradientAt) => {
        const scores = await measureStrengths(probe, seed, initial, gradientAt);
        const { keep, threshold } = allocate(scores, r * probe.modules.length);
        return { ranks: keep.map(keptCount), scores, threshold };
      },
      keys: (modules) => ({
        // Full paths, because the config's own targets may be suffixes or a pattern.
        target_modules: modules.flatMap(({ path, rank }) => (rank > 0 ? [path] : [])),
        ...rankKeys(modules, { ...config, use_rslora: isRankStabilised(config) }),
      }),
      store,
    });
  }
}

/** The singular values of the modules' gradients, within the probe's directions. */
async function measureStrengths(
  probe: LoraTuner,
  seed: number,
  initial: Float32Array,
  gradientAt: GradientAt,
): Promise<Float64Array[]> {
  const { modules, layout } = probe;
  const values = initial.slice();
  for (const { path } of modules) {
    const { A, B } = factorsIn(layout, values, path);
    A.set(new Random(seed, `survey ${path}`).normals(A.length, 1));
    B.fill(0);
  }
  const reached = await gradientAt(values);
  for (const { path, rank } of modules) {
    const { A, B } = factorsIn(layout, values, path);
    A.fill(0);
    const basis = orthonormalise(selectColumns(factorsIn(layout, reached, path).B, rank));
    basis.forEach((column, i) => setColumn(B, rank, i, column));
  }
  const seen = await gradientAt(values);
  const strengths = modules.map(({ path, rank }) =>
    Float64Array.from(
      principalDirections(matrixRows(factorsIn(layout, seen, path).A, rank)),
      ({ strength }) => strength,
    ),
  );
  if (strengths.every((module) => module.every((strength) => !(strength > 0))))
    throw new UserError({
      where: 'lora.allocation: before-training',
      fault: 'found a gradient that is zero everywhere',
      hint: 'Set allocation: even.',
    });
  return strengths;
}

/** Sets a module's rank to the largest that it may get, to project its gradient. */
function probed(r: number): (module: LowRankModule) => LowRankModule {
  return (module) => ({
    ...module,
    rank: Math.min(LARGEST_OVER_MEAN * r, module.inFeatures, module.outFeatures),
    scale: 1,
  });
}
