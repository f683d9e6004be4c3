import type {
  AdapterTensor,
  AdapterTensors,
  StoredAdapter,
} from '../../../input/formats/adapters/stored-adapter.ts';
import { InvalidFile } from '../../../support/user-error.ts';
import type { AdapterKind, Increments } from '../adapter-kind.ts';
import { weightStart } from '../lora/start-factors.ts';
import type { ParameterLayout } from '../parameter-layout.ts';
import { type DescribedSettings, describedAdapter } from '../peft/described-adapter.ts';
import { type PeftFiles, peftKind, type ReadPeft, type TunerOf, writePeft } from '../peft/peft-files.ts';
import { NO_TARGETS } from '../peft/settings.ts';
import { createLayerTest } from '../targets/match-targets.ts';
import type { TunableModel } from '../tuner.ts';
import { FACTOR_PARTS, type LowRankModule, parseFactor } from './factors.ts';
import type { LowRankTuner } from './low-rank-tuner.ts';
import { loraScale, sortablePattern } from './patterns-and-scales.ts';
import {
  asStored,
  LOW_RANK_FILES,
  type PeftAdapter,
  type PeftAdapterConfig,
  type PeftType,
  parseAdapterConfig,
  parseAdapterKey,
  peftAdapter,
} from './peft-config.ts';
import { plainLora } from './plain-lora.ts';

/** The parts needed to export an adapter. */
export interface Export {
  model: TunableModel;
  /** The method's settings, with its default modules. */
  config: DescribedSettings & { lora_alpha?: number };
  modules: readonly LowRankModule[];
  layout: ParameterLayout;
  values: Float32Array;
  baseModel: string;
}

/** Stores trained values in PEFT's files. `keys` are the config keys of its kind only. */
export function exportLowRank(
  { model, config, modules, layout, values, baseModel }: Export,
  keys: { peft_type: PeftType } & Record<string, unknown>,
): StoredAdapter {
  const described = { ...describedAdapter(model, config, modules, baseModel), ...keys };
  const parsed = parseAdapterConfig(described, 'adapter_config.json');
  if (parsed.peft_type === 'LORA') {
    // Files sort the keys of patterns.
    const paths = modules.map(({ path }) => path);
    parsed.rank_pattern = sortablePattern(parsed.rank_pattern, paths);
    parsed.alpha_pattern = sortablePattern(parsed.alpha_pattern, paths);
  }
  return writeLowRank(parsed, layout, values);
}

/** Stores trained values with the settings of a file. */
export function writeLowRank(
  config: PeftAdapterConfig,
  layout: ParameterLayout,
  values: Float32Array,
): StoredAdapter {
  const adapted = layout.segments.flatMap(({ name }) => parseFactor(name)?.path ?? []);
  return writePeft(LOW_RANK_FILES[config.peft_type], { config, layout, values, adapted });
}

/**
 * The adapter of a frozen model without its increments, which are zero. Modules that are saved in full stay. Adapters of
 * other kinds, and with other increments, are returned unchanged.
 */
export function withoutZeroIncrements(stored: StoredAdapter): StoredAdapter {
  const { config, tensors } = stored;
  if (config.peft_type !== 'LORA' && config.peft_type !== 'ADALORA') return stored;
  const factors = new Map<string, Set<string>>();
  for (const [key, { data }] of tensors) {
    const { path, factor } = parseFactor(parseAdapterKey(key) ?? '') ?? {};
    if (path === undefined) continue;
    const zeros = factors.get(path) ?? new Set();
    factors.set(path, zeros);
    if (factor !== undefined && data.every((value) => value === 0)) zeros.add(factor);
  }
  const areZero = [...factors.values()].every((zeros) => zeros.has('B') || zeros.has('E'));
  if (!areZero || config.bias !== 'none') return stored;
  const { task_type, base_model_name_or_path, revision, auto_mapping, modules_to_save } = config;
  const described = { task_type, base_model_name_or_path, revision, auto_mapping, modules_to_save };
  const own = { peft_type: 'LORA', target_modules: NO_TARGETS, inference_mode: true };
  return asStored({
    config: parseAdapterConfig({ ...described, ...own }, 'adapter_config.json'),
    tensors: new Map([...tensors].filter(([key]) => parseFactor(parseAdapterKey(key) ?? '') === undefined)),
  });
}

/**
 * The modules of an adapter, with the scales that its config gives.
 *
 * @param rankOf returns the rank of a module by the config
 * @throws UserError for a module with another rank, which PEFT does not load, or in a layer that is not selected, which
 * PEFT ignores
 */
export function rankedModules<Config extends PeftAdapterConfig>(
  { config, modules }: ReadPeft<Config>,
  where: string,
  rankOf: (path: string) => number,
  scaleOf: (path: string, rank: number) => number,
): LowRankModule[] {
  const isInLayers = createLayerTest(config);
  return modules.map(({ tensors, ...module }) => {
    const { path } = module;
    const rank = tensors.get(FACTOR_PARTS[0])!.shape[0]!;
    const told = rankOf(path);
    const refuse = (fault: string) =>
      new InvalidFile({ where: `${where}: ${path}`, fault, hint: 'The adapter is damaged. Save it again.' });
    if (rank !== told) throw refuse(`has rank ${rank}, but rank ${told} in the adapter's config`);
    if (!isInLayers(path)) throw refuse('is in a layer that layers_to_transform does not select');
    return { ...module, rank, scale: scaleOf(path, rank) };
  });
}

/**
 * Defines a kind of adapter file with pairs or triplets of factors.
 *
 * @param tunerOf makes a tuner for prediction
 * @param factsOf returns the settings to display
 */
export function lowRankKind<Config extends PeftAdapterConfig>(
  files: PeftFiles<Config>,
  tunerOf: TunerOf<Config, LowRankTuner>,
  factsOf: (config: Config) => { initialRank?: number; settings: Record<string, unknown> },
): AdapterKind {
  return {
    ...peftKind(files, tunerOf, (config, tensors) => ({ ranks: storedRanks(tensors), ...factsOf(config) })),
    increments: (stored, where) => increments(peftAdapter(stored, where), where),
    exports: {
      lora: (stored, where) => asStored(plainLora(peftAdapter(stored, where), where)),
    },
  };
}

/** The rank of each adapted module, from its tensors. */
function storedRanks(tensors: AdapterTensors): Record<string, number> {
  const ranks: Record<string, number> = {};
  for (const [key, { shape }] of tensors) {
    const own = parseFactor(parseAdapterKey(key) ?? '');
    if (own?.factor === 'A') ranks[own.path] = shape[0]!;
  }
  return ranks;
}

/**
 * The adapter as products of two matrices, with the whole scale and AdaLoRA's λ in B.
 *
 * @throws UserError like {@link plainLora}
 */
function increments(adapter: PeftAdapter, where: string): Increments {
  const { config, tensors } = plainLora(adapter, where, true);
  const modules = new Map<string, { A?: AdapterTensor; B?: AdapterTensor }>();
  let more: string | undefined;
  if (weightStart(config.init_lora_weights))
    more = `a start from the weights (init_lora_weights: ${config.init_lora_weights})`;
  for (const [key, tensor] of tensors) {
    const name = parseAdapterKey(key);
    if (name === undefined) continue;
    const { path, factor } = parseFactor(name) ?? {};
    if (path === undefined || (factor !== 'A' && factor !== 'B')) more ??= contentNamed(name);
    else {
      const scale = factor === 'A' ? 1 : loraScale(config, path, tensor.shape[1]!);
      modules.set(path, { ...modules.get(path), [factor]: scaled(tensor, scale) });
    }
  }
  // `plainLora` has checked that each module has both.
  return { modules: modules as Increments['modules'], more };
}

function scaled({ shape, data }: AdapterTensor, scale: number): AdapterTensor {
  return { shape, data: scale === 1 ? data : data.map((value) => value * scale) };
}

/** A description of a tensor that is no part of a product. */
function contentNamed(name: string): string {
  if (parseFactor(name)) return `DoRA's magnitude (${name})`;
  return name.endsWith('.bias') ? `a trained bias (${name})` : `a module that was trained in full (${name})`;
}
