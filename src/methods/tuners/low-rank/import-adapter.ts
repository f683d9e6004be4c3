import {
  type AdapterTensors,
  peftName,
  type StoredAdapter,
} from '../../../input/formats/adapters/stored-adapter.ts';
import { excerptName } from '../../../input/formats/excerpt.ts';
import { InvalidFile, type UserError } from '../../../support/user-error.ts';
import type { ParameterLayout, TrainedParameter } from '../parameter-layout.ts';
import {
  assertSameBase,
  BASE_WEIGHT,
  describedAdapter,
  nameInModel,
  unknownModule,
} from '../peft/described-adapter.ts';
import { readVector, writePeft } from '../peft/peft-files.ts';
import { createLayerTest } from '../target-modules.ts';
import type { TunableModel } from '../tuner.ts';
import { joinTiedWords } from '../whole-parameters.ts';
import { AT_START, factorName, type LowRankModule, parseFactor } from './factors.ts';
import type { LowRankTuner } from './low-rank-tuner.ts';
import { sortablePattern } from './patterns-and-scales.ts';
import {
  LOW_RANK_FILES,
  type LoraAdapterConfig,
  type PeftAdapter,
  type PeftAdapterConfig,
  parseAdapterConfig,
  parseAdapterKey,
} from './peft-config.ts';

/** The parts needed to export an adapter. */
export interface Export {
  model: TunableModel;
  /** The method's settings. */
  config: { target_modules?: string | string[]; modules_to_save?: string[]; lora_alpha?: number };
  /** The modules that the method adapts by default. */
  targets: readonly string[];
  modules: readonly LowRankModule[];
  layout: ParameterLayout;
  values: Float32Array;
  baseModel: string;
}

/** Stores trained values in PEFT's files. `keys` are the config keys of its kind only. */
export function exportLowRank(
  { model, config, targets, modules, layout, values, baseModel }: Export,
  keys: { peft_type: PeftAdapterConfig['peft_type'] } & Record<string, unknown>,
): StoredAdapter {
  const described = {
    ...describedAdapter(model, config, targets, modules, baseModel),
    ...keys,
  };
  const parsed = parseAdapterConfig(described, 'adapter_config.json');
  const settings = parsed.peft_type === 'LORA' ? { ...parsed, ...sortablePatterns(parsed, modules) } : parsed;
  return written(settings, layout, values);
}

/**
 * Stores the adapter of a run that continued another. Its config is that of `start`, including the rank pattern, except
 * for the given keys.
 */
export function exportContinued(
  start: PeftAdapterConfig,
  layout: ParameterLayout,
  values: Float32Array,
  keys: Pick<PeftAdapterConfig, 'base_model_name_or_path' | 'lora_dropout'>,
): StoredAdapter {
  return written({ ...start, ...keys, inference_mode: true }, layout, values);
}

function written(config: PeftAdapterConfig, layout: ParameterLayout, values: Float32Array): StoredAdapter {
  const adapted = layout.segments.flatMap(({ name }) => parseFactor(name)?.path ?? []);
  return writePeft(LOW_RANK_FILES[config.peft_type], { config, layout, values, adapted });
}

/** The patterns of a file, in which keys are sorted. */
function sortablePatterns(
  { rank_pattern, alpha_pattern }: LoraAdapterConfig,
  modules: readonly LowRankModule[],
): Pick<LoraAdapterConfig, 'rank_pattern' | 'alpha_pattern'> {
  const paths = modules.map(({ path }) => path);
  return {
    rank_pattern: sortablePattern(rank_pattern, paths),
    alpha_pattern: sortablePattern(alpha_pattern, paths),
  };
}

/** Builds the tuner for a kind of adapter. */
export interface ImportedKind<Made extends LowRankTuner> {
  /** The rank of a module by the adapter's config. */
  rank(path: string): number;
  scale(path: string, rank: number): number;
  create(
    modules: readonly LowRankModule[],
    saved: readonly TrainedParameter[],
    model: TunableModel,
    where: string,
  ): Made;
}

/**
 * Puts a PEFT adapter on a model. Modules come from the adapter's tensors, so it does not matter how targets were selected.
 * `fan_in_fan_out` has no effect on linear layers, as in PEFT.
 *
 * @throws UserError that names missing tensors, and tensors that do not belong to a module, have the wrong shape or
 * contradict the config
 */
export function importAdapter<Made extends LowRankTuner>(
  model: TunableModel,
  adapter: PeftAdapter,
  where: string,
  { rank, scale, create }: ImportedKind<Made>,
): { tuner: Made; values: Float32Array } {
  const stored = tensorsByName(model, adapter, where);
  assertSameBase(model, adapter.tensors, where);
  joinTiedWords(model, stored, adapter.config.modules_to_save, where);
  const ranks = new Map(
    [...stored].flatMap(([name, { shape }]) => {
      const own = parseFactor(name);
      return own?.factor === 'A' ? [[own.path, shape[0]!] as const] : [];
    }),
  );
  const isInLayers = createLayerTest(adapter.config);
  for (const [path, own] of ranks)
    assertAsConfigured(path, { own, told: rank(path) }, isInLayers(path), where);
  const modules = adaptedLinears(model, ranks, where).map((module) => ({
    ...module,
    scale: scale(module.path, module.rank),
  }));
  const saved = [...stored.keys()]
    .filter((name) => !parseFactor(name))
    .map((name) => {
      const shape = model.parameters.get(name);
      if (!shape) throw unknownModule(model, name, model.parameters.keys(), where);
      return { name, shape };
    });
  const tuner = create(modules, saved, model, where);
  for (const name of stored.keys()) {
    const isKnown = tuner.layout.find(name) ?? tuner.frozen?.layout.find(name);
    if (parseFactor(name) && !isKnown) throw strayFactor(name, ranks, where);
  }
  return { tuner, values: readValues(tuner, stored, where) };
}

/** The tensors, by adalora's names. */
function tensorsByName(model: TunableModel, { config, tensors }: PeftAdapter, where: string): AdapterTensors {
  const byName: AdapterTensors = new Map();
  /** Whether PEFT wrote the parameter under its own name too, as it does with embeddings. */
  const isCopy = (key: string) => tensors.has(key.replace(/\.(original_module|modules_to_save)\./, '.'));
  for (const [key, tensor] of tensors) {
    peftName(key, where);
    const parsed = parseAdapterKey(key);
    const name = parsed && nameInModel(model, parsed);
    if (name !== undefined) byName.set(name, tensor);
    else if (parsed !== undefined) continue;
    else if (!BASE_WEIGHT.test(key) && !isCopy(key) && (config.bias !== 'all' || !key.endsWith('.bias'))) {
      throw new InvalidFile({
        where,
        fault: `has the tensor ${excerptName(key)}, but its config has bias: ${config.bias}`,
        hint: 'Tensors of biases outside the adapted modules need bias: all.',
      });
    }
  }
  return byName;
}

/** PEFT does not load a module with another rank, and ignores one in a layer that is not selected. */
function assertAsConfigured(
  path: string,
  rank: { own: number; told: number },
  isSelected: boolean,
  where: string,
): void {
  const fault =
    rank.own !== rank.told
      ? `has rank ${rank.own}, but rank ${rank.told} in the adapter's config`
      : isSelected
        ? undefined
        : `is in a layer that layers_to_transform does not select`;
  if (fault)
    throw new InvalidFile({
      where: `${where}: ${path}`,
      fault,
      hint: 'The adapter is damaged. Save it again.',
    });
}

function adaptedLinears(model: TunableModel, ranks: ReadonlyMap<string, number>, where: string) {
  const linears = new Map(model.linears.map((module) => [module.path, module]));
  return [...ranks].map(([path, rank]) => {
    const linear = linears.get(path);
    if (!linear) throw unknownModule(model, path, linears.keys(), where);
    return { ...linear, rank };
  });
}

function readValues({ layout, frozen }: LowRankTuner, stored: AdapterTensors, where: string): Float32Array {
  const shapeOf = ({ name, shape }: TrainedParameter) =>
    parseFactor(name)?.factor === 'E' ? [...shape, 1] : shape;
  const values = readVector(layout, stored, where, shapeOf);
  // Files lack the initial factors of a start from the weight, which are computed again.
  if (frozen && !frozen.layout.segments.some(({ name }) => name.endsWith(AT_START)))
    frozen.values.set(readVector(frozen.layout, stored, where, shapeOf));
  return values;
}

function strayFactor(name: string, ranks: ReadonlyMap<string, number>, where: string): UserError {
  const path = parseFactor(name)?.path ?? name;
  return new InvalidFile({
    where: `${where}: ${name}`,
    fault: ranks.has(path)
      ? 'does not belong in a LORA adapter'
      : `has no ${factorName(path, 'A')} beside it`,
    hint: 'The adapter is damaged.',
  });
}
