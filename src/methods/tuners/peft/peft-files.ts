import { z } from 'zod';
import {
  type AdapterTensor,
  type AdapterTensors,
  PEFT_PREFIX,
  peftName,
  type StoredAdapter,
} from '../../../input/formats/adapters/stored-adapter.ts';
import type { LinearModule } from '../../../models/nn/network.ts';
import { InvalidFile, type UserError } from '../../../support/user-error.ts';
import type { AdapterKind } from '../adapter-kind.ts';
import { type MethodRun, staticRun } from '../method-run.ts';
import type { ParameterLayout, TrainedParameter } from '../parameter-layout.ts';
import type { TunableModel, Tuner } from '../tuner.ts';
import { joinTiedWords } from '../whole-parameters.ts';
import {
  assertSameBase,
  BASE_WEIGHT,
  describedAdapter,
  nameInModel,
  unknownModule,
} from './described-adapter.ts';

const count = z.int().nonnegative();

const names = z.array(z.string());

/** Names of modules, or a regular expression. */
export const namesOrPattern = z.union([names, z.string()]).nullable().default(null);

/** Settings in every `adapter_config.json` of PEFT. Key names and defaults are PEFT's (0.21). */
export const commonSettings = {
  task_type: z.string().nullable().default(null),
  /** Folder or Hub id of the base model. */
  base_model_name_or_path: z.string().nullable().default(null),
  revision: z.string().nullable().default(null),
  auto_mapping: z.record(z.string(), z.unknown()).nullable().default(null),
  inference_mode: z.boolean().default(false),
  /** A list of suffixes, a regular expression for the full path, or "all-linear". */
  target_modules: namesOrPattern,
  /** Modules that are trained and saved in full, such as the head. */
  modules_to_save: names.nullable().default(null),
  /** Whether the target's weight is stored as (in, out), as GPT-2's Conv1D does. */
  fan_in_fan_out: z.boolean().default(false),
};

/** Settings that exclude modules by name. */
export const exclusionSettings = { exclude_modules: namesOrPattern };

/** Settings that select layers by number. */
export const layerSettings = {
  layers_to_transform: z
    .union([z.array(count), count])
    .nullable()
    .default(null),
  layers_pattern: namesOrPattern,
};

/** Adapters are written in the format of this PEFT version. */
export const PEFT_VERSION = '0.21.2';

/** The prefix of tensors that all modules share. */
const SHARED_PREFIX = 'base_model.';

/** The files of a `peft_type`: its settings and the names of its tensors. */
export interface PeftFiles<Config> {
  /** The type's name in the file, such as `IA3`. */
  readonly peftType: string;
  readonly schema: z.ZodType<Config>;
  /** Names of a module's tensors, below its path. */
  readonly parts: readonly string[];
  /** Names of tensors that all modules share. */
  readonly shared?: readonly string[];
  /** The name and shape in a file of a module's tensor, if they differ from those of the layout. */
  stored?(parameter: TrainedParameter): TrainedParameter;
  /** Settings that are not supported, with the values that mean "off". PEFT expects them in every file. */
  readonly inert?: Readonly<Record<string, unknown>>;
}

/** An adapter in PEFT's format, matched to a model. */
export interface ReadPeft<Config> {
  config: Config;
  /** The adapted modules, in the model's order. Each has its tensors by part. */
  modules: readonly (LinearModule & { tensors: ReadonlyMap<string, AdapterTensor> })[];
  shared: AdapterTensors;
  /** Full parameters of the model, by name. */
  saved: AdapterTensors;
}

/**
 * Parses the settings.
 *
 * @throws UserError that lists every invalid key
 */
export function peftSettings<Config>(
  { schema, peftType }: Pick<PeftFiles<Config>, 'schema' | 'peftType'>,
  { config }: Pick<StoredAdapter, 'config'>,
  where: string,
): Config {
  const parsed = schema.safeParse(config);
  if (parsed.success && config.peft_type === peftType) return parsed.data;
  const issues = parsed.error?.issues ?? [{ path: ['peft_type'], message: `expected ${peftType}` }];
  throw new InvalidFile(
    issues.map(({ path, message }) => `${where}: ${path.join('.')}: ${message}`).join('\n'),
  );
}

/** Whether a tensor of the file belongs to the adapter and not to a module that is saved in full. */
export function isOwnTensor(files: PeftFiles<unknown>, key: string): boolean {
  return files.parts.some((part) => key.endsWith(`.${part}`)) || isSharedTensor(files, key);
}

/** Whether a tensor of the file is one that all adapted modules share, which is not trained. */
function isSharedTensor({ shared = [] }: PeftFiles<unknown>, key: string): boolean {
  return shared.some((name) => key === SHARED_PREFIX + name);
}

/**
 * Reads an adapter for a model.
 *
 * @param where the adapter's name for messages
 * @throws UserError naming settings that are wrong, and tensors that match no module or are missing
 */
export function readPeft<Config>(
  files: PeftFiles<Config>,
  model: TunableModel,
  stored: StoredAdapter,
  where: string,
): ReadPeft<Config> {
  const config = peftSettings(files, stored, where);
  const own = new Map<string, Map<string, AdapterTensor>>();
  const shared: AdapterTensors = new Map();
  const saved: AdapterTensors = new Map();
  for (const [key, tensor] of stored.tensors) {
    const part = files.parts.find((part) => key.endsWith(`.${part}`));
    const common = files.shared?.find((name) => key === SHARED_PREFIX + name);
    if (common) shared.set(common, tensor);
    else if (part) {
      const path = nameInModel(model, peftName(key, where).slice(0, -part.length - 1));
      if (path === undefined) continue;
      own.set(path, (own.get(path) ?? new Map()).set(part, tensor));
    } else if (!/\.(original_module|modules_to_save)\./.test(key) && !BASE_WEIGHT.test(key)) {
      // PEFT wraps an adapted layer, so the layer's own bias belongs to `base_layer`.
      const name = nameInModel(model, peftName(key, where).replace(/\.base_layer\.bias$/, '.bias'));
      if (name !== undefined) saved.set(name, tensor);
    }
  }
  assertSameBase(model, stored.tensors, where);
  checkSaved(model, saved, stored, where);
  const linears = new Map(model.linears.map((module) => [module.path, module]));
  for (const [path, tensors] of own) {
    if (!linears.has(path)) throw unknownModule(model, path, linears.keys(), where);
    for (const part of files.parts) if (!tensors.has(part)) throw missing(`${where}: ${path}.${part}`);
  }
  if (own.size === 0) throw missing(`${where}: ${files.parts.join(', ')}`);
  const modules = model.linears.flatMap((module) => {
    const tensors = own.get(module.path);
    return tensors ? [{ ...module, tensors }] : [];
  });
  return { config, modules, shared, saved };
}

/** An adapter to write. */
export interface WrittenPeft {
  /** All settings except those that the writer adds: `peft_type`, `peft_version`. */
  config: Readonly<Record<string, unknown>>;
  layout: ParameterLayout;
  values: Float32Array;
  /** The paths of adapted modules. */
  adapted: readonly string[];
  shared?: AdapterTensors;
}

/**
 * For each trained tensor, its key and shape in a file. PEFT wraps an adapted layer, so the layer's own bias belongs to
 * `base_layer`.
 */
export function storedForms(
  { stored = (parameter) => parameter }: Pick<PeftFiles<unknown>, 'stored'>,
  parameters: readonly TrainedParameter[],
  isAdapted: (path: string) => boolean,
): { name: string; key: string; shape: number[] }[] {
  return parameters.map((parameter) => {
    const { name, shape } = stored(parameter);
    const [, path] = /^(.*)\.bias$/.exec(name) ?? [];
    const isWrapped = path !== undefined && isAdapted(path);
    const key = PEFT_PREFIX + (isWrapped ? `${path}.base_layer.bias` : name);
    return { name: parameter.name, key, shape: [...shape] };
  });
}

/** Returns the files of an adapter. */
export function writePeft(
  files: PeftFiles<unknown>,
  { config, layout, values, adapted, shared = new Map() }: WrittenPeft,
): StoredAdapter {
  const settings = files.schema.parse(config) as Record<string, unknown>;
  const forms = storedForms(files, layout.segments, (path) => adapted.includes(path));
  return {
    config: { ...files.inert, ...settings, peft_type: files.peftType, peft_version: PEFT_VERSION },
    tensors: new Map([
      ...forms.map(({ name, key, shape }): [string, AdapterTensor] => [
        key,
        { shape, data: layout.read(values, name) },
      ]),
      ...[...shared].map(([name, tensor]): [string, AdapterTensor] => [SHARED_PREFIX + name, tensor]),
    ]),
    baseModel: settings.base_model_name_or_path as string | null,
  };
}

/** A run of a method that only trains, whose adapter is written in these files. */
export function peftRun<Config extends { target_modules?: string | readonly string[] }>(
  files: PeftFiles<unknown>,
  tuner: Tuner,
  {
    model,
    config,
    targets,
    modules,
    shared,
  }: {
    model: TunableModel;
    config: Config & { modules_to_save?: readonly string[] };
    /** The target modules of a config without `target_modules`. */
    targets: readonly string[];
    modules: readonly LinearModule[];
    shared?: () => AdapterTensors;
  },
): MethodRun {
  return staticRun(tuner, {
    store: (values, baseModel) =>
      writePeft(files, {
        config: describedAdapter(model, config, targets, modules, baseModel),
        adapted: modules.map(({ path }) => path),
        layout: tuner.layout,
        values,
        shared: shared?.(),
      }),
  });
}

/**
 * Checks the full parameters of a model in a file.
 *
 * @param saved by their names in the model; a second copy of tied word embeddings is removed
 */
export function checkSaved(
  model: TunableModel,
  saved: AdapterTensors,
  { config }: StoredAdapter,
  where: string,
): void {
  const modules = commonSettings.modules_to_save.safeParse(config.modules_to_save).data ?? null;
  joinTiedWords(model, saved, modules, where);
  for (const [name, tensor] of saved) {
    const shape = model.parameters.get(name);
    if (!shape) throw unknownModule(model, name, model.parameters.keys(), where);
    assertShape(`${where}: ${name}`, tensor, shape);
  }
}

/**
 * Checks the shape of a tensor.
 *
 * @throws UserError if it differs from the expected one, or the tensor is missing
 */
export function assertShape(
  where: string,
  tensor: AdapterTensor | undefined,
  expected: readonly number[],
): asserts tensor is AdapterTensor {
  if (tensor?.shape.join() === expected.join()) return;
  throw new InvalidFile({
    where,
    fault: tensor ? `has shape [${tensor.shape}] instead of [${expected}]` : 'is missing',
    hint: 'The adapter belongs to another base model, or is damaged.',
  });
}

/**
 * Reads the vector of a layout from a file.
 *
 * @param stored by the names of the layout
 * @param shapeOf returns the shape of a tensor in the file, if it is another one
 * @throws UserError for a tensor that is missing or has another shape
 */
export function readVector(
  layout: ParameterLayout,
  stored: AdapterTensors,
  where: string,
  shapeOf = ({ shape }: TrainedParameter) => shape,
): Float32Array {
  return layout.vector(
    layout.segments.map((segment) => {
      const tensor = stored.get(segment.name);
      assertShape(`${where}: ${segment.name}`, tensor, shapeOf(segment));
      return [segment.name, tensor];
    }),
  );
}

/** The names and shapes of stored parameters. */
export function listParameters(tensors: AdapterTensors): TrainedParameter[] {
  return [...tensors].map(([name, { shape }]) => ({ name, shape }));
}

/**
 * Defines the kind of a `peft_type` whose tuner has the tensors of the file under their names below a module's path.
 *
 * @param settingsOf returns the settings to display
 */
export function peftKind<Config>(
  files: PeftFiles<Config>,
  tunerOf: (read: ReadPeft<Config>, where: string) => Tuner,
  settingsOf: (config: Config) => Record<string, unknown> = () => ({}),
): AdapterKind {
  return {
    name: files.peftType,
    reads: ({ config }) => config.peft_type === files.peftType,
    import(model, stored, where) {
      const read = readPeft(files, model, stored, where);
      const tuner = tunerOf(read, where);
      const own = read.modules.flatMap(({ path, tensors }) =>
        [...tensors].map(([part, tensor]) => [`${path}.${part}`, tensor] as const),
      );
      return { tuner, values: tuner.layout.vector([...own, ...read.saved]) };
    },
    facts: (stored, where) => ({
      ranks: {},
      settings: settingsOf(peftSettings(files, stored, where)),
      isOwn: (key) => isOwnTensor(files, key),
      isFrozen: (key) => isSharedTensor(files, key),
    }),
  };
}

function missing(where: string): UserError {
  return new InvalidFile({ where, fault: 'is missing', hint: 'The adapter is damaged.' });
}
