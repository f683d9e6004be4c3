import type { z } from 'zod';
import {
  type AdapterTensor,
  type AdapterTensors,
  PEFT_PREFIX,
  peftName,
  type StoredAdapter,
} from '../../../input/formats/adapters/stored-adapter.ts';
import { excerptName } from '../../../input/formats/excerpt.ts';
import type { LinearModule } from '../../../models/nn/network.ts';
import { InvalidFile, type UserError } from '../../../support/user-error.ts';
import type { AdapterKind, AdapterSummary } from '../adapter-kind.ts';
import type { ParameterLayout, TrainedParameter } from '../parameter-layout.ts';
import type { TunableModel, Tuner } from '../tuner.ts';
import { joinTiedWords } from '../whole-parameters.ts';
import { assertSameBase, BASE_WEIGHT, nameInModel, unknownModule } from './described-adapter.ts';
import { NO_TARGETS, savedModules } from './settings.ts';

/** Adapters are written in the format of this PEFT version. */
export const PEFT_VERSION = '0.21.2';

/** The files of a `peft_type`: its settings and the names of its tensors. */
export interface PeftFiles<Config> {
  /** The type's name in the file, such as `IA3`. */
  readonly peftType: string;
  readonly schema: z.ZodType<Config>;
  /** Names of a module's tensors in the layout, below its path. Every adapted module has the first. */
  readonly parts: readonly [string, ...string[]];
  /** The name and shape in a file of a module's tensor, if they differ from those of the layout. */
  stored?(parameter: TrainedParameter): TrainedParameter;
  /** Settings that are not supported, with the values that mean "off". PEFT expects them in every file. */
  readonly inert?: Readonly<Record<string, unknown>>;
  /** @throws UserError for a setting that would change the result and is not supported */
  refuse?(config: StoredAdapter['config'], where: string): void;
}

/** An adapter in PEFT's format, matched to a model. */
export interface ReadPeft<Config> {
  config: Config;
  /** The adapted modules, in the file's order. Each has its tensors by part. */
  modules: readonly (LinearModule & { tensors: ReadonlyMap<string, AdapterTensor> })[];
  /** Full parameters of the model, by name. */
  saved: AdapterTensors;
}

/**
 * Parses the settings.
 *
 * @throws UserError that lists every invalid key
 */
export function peftSettings<Config>(
  { schema, peftType, refuse }: Pick<PeftFiles<Config>, 'schema' | 'peftType' | 'refuse'>,
  { config }: Pick<StoredAdapter, 'config'>,
  where: string,
): Config {
  const parsed = schema.safeParse(config);
  if (!parsed.success || config.peft_type !== peftType) {
    const issues = parsed.error?.issues ?? [{ path: ['peft_type'], message: `expected ${peftType}` }];
    throw new InvalidFile(
      issues.map(({ path, message }) => `${where}: ${path.join('.')}: ${message}`).join('\n'),
    );
  }
  refuse?.(config, where);
  return parsed.data;
}

/** The name of a tensor of the file in a layout. PEFT wraps an adapted layer, so its bias belongs to `base_layer`. */
export function layoutName({ parts }: Pick<PeftFiles<unknown>, 'parts'>, name: string): string {
  return findPart(parts, name) ? name.replace(/\.weight$/, '') : name.replace(/\.base_layer\.bias$/, '.bias');
}

/** The part that a tensor of the file is. In some files, parts are modules with a weight. */
function findPart(parts: readonly string[], name: string): string | undefined {
  const own = name.replace(/\.weight$/, '');
  return parts.find((part) => own.endsWith(`.${part}`));
}

/** Whether a tensor of the file belongs to the adapter and not to a module that is saved in full. */
export function isOwnTensor(files: PeftFiles<unknown>, key: string): boolean {
  return findPart(files.parts, key) !== undefined;
}

/**
 * Whether PEFT saves a tensor redundantly:
 * - the base model's own weight of an adapted output layer;
 * - a fully saved module's second copy, and its replaced original.
 */
export function isRedundant(key: string): boolean {
  return BASE_WEIGHT.test(key) || COPIES.test(key);
}

const COPIES = /\.(original_module|modules_to_save)\./;

/**
 * Checks a redundant tensor. PEFT writes copies of modules that are also there under their own names, as it does with
 * embeddings, and with `bias: all` those of all biases.
 */
function checkRedundant({ tensors }: StoredAdapter, bias: string | undefined, key: string, where: string) {
  if (BASE_WEIGHT.test(key) || tensors.has(key.replace(COPIES, '.'))) return;
  if (bias === undefined || (bias === 'all' && key.endsWith('.bias'))) return;
  throw new InvalidFile({
    where,
    fault: `has the tensor ${excerptName(key)}, but its config has bias: ${bias}`,
    hint: 'Tensors of biases outside the adapted modules need bias: all.',
  });
}

/**
 * Reads an adapter for a model. Modules come from the adapter's tensors, so it does not matter how targets were
 * selected. `fan_in_fan_out` has no effect on linear layers, as in PEFT.
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
  const saved: AdapterTensors = new Map();
  for (const [key, tensor] of stored.tensors) {
    const inFile = peftName(key, where);
    if (isRedundant(key)) {
      checkRedundant(stored, (config as { bias?: string }).bias, key, where);
      continue;
    }
    const name = nameInModel(model, layoutName(files, inFile));
    const part = findPart(files.parts, inFile);
    if (name === undefined) continue;
    if (part === undefined) saved.set(name, tensor);
    else {
      const path = name.slice(0, -part.length - 1);
      own.set(path, (own.get(path) ?? new Map()).set(part, tensor));
    }
  }
  assertSameBase(model, stored.tensors, where);
  checkSaved(model, saved, stored, where);
  const [first] = files.parts;
  // Only modules that are saved in full make an adapter too.
  const isEmpty = saved.size === 0 && ![...stored.tensors.keys()].some((key) => findPart(files.parts, key));
  if (isEmpty && stored.config.target_modules !== NO_TARGETS)
    throw damaged(where, `has no tensor named ${files.parts.join(', ')}`);
  const linears = new Map(model.linears.map((module) => [module.path, module]));
  const modules = [...own].map(([path, tensors]) => {
    const module = linears.get(path);
    if (!module) throw unknownModule(model, path, linears.keys(), where);
    const [part] = tensors.keys();
    if (!tensors.has(first)) throw damaged(`${where}: ${path}.${part}`, `has no ${path}.${first} beside it`);
    return { ...module, tensors };
  });
  return { config, modules, saved };
}

function damaged(where: string, fault: string): UserError {
  return new InvalidFile({ where, fault, hint: 'The adapter is damaged.' });
}

/** Makes the tuner of an adapter in PEFT's format. */
export type TunerOf<Config, Made extends Tuner = Tuner> = (
  read: ReadPeft<Config>,
  model: TunableModel,
  where: string,
) => Made;

/**
 * Puts an adapter on a model. The layout of its tuner has the tensors of the file.
 *
 * @throws UserError that names missing tensors, and tensors that do not belong to a module, have the wrong shape or
 * contradict the config
 */
export function importPeft<Config, Made extends Tuner>(
  files: PeftFiles<Config>,
  model: TunableModel,
  stored: StoredAdapter,
  where: string,
  tunerOf: TunerOf<Config, Made>,
): { tuner: Made; values: Float32Array; config: Config } {
  const read = readPeft(files, model, stored, where);
  const tuner = tunerOf(read, model, where);
  const { layout } = tuner;
  const own = read.modules.flatMap(({ path, tensors }) =>
    [...tensors].map(([part, tensor]) => [`${path}.${part}`, tensor] as const),
  );
  for (const [name] of own) {
    if (!layout.find(name))
      throw damaged(`${where}: ${name}`, `does not belong in an adapter of type ${files.peftType}`);
  }
  const shapeInFile = (parameter: TrainedParameter) => (files.stored?.(parameter) ?? parameter).shape;
  const values = readVector(layout, new Map([...own, ...read.saved]), where, shapeInFile);
  return { tuner, values, config: read.config };
}

/** An adapter to write. */
export interface WrittenPeft {
  /** All settings except those that the writer adds: `peft_type`, `peft_version`. */
  config: object;
  layout: ParameterLayout;
  values: Float32Array;
  /** The paths of adapted modules. */
  adapted: readonly string[];
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
  { config, layout, values, adapted }: WrittenPeft,
): StoredAdapter {
  const settings = files.schema.parse(config) as Record<string, unknown>;
  const forms = storedForms(files, layout.segments, (path) => adapted.includes(path));
  return {
    config: { ...files.inert, ...settings, peft_type: files.peftType, peft_version: PEFT_VERSION },
    tensors: new Map(forms.map(({ name, key, shape }) => [key, { shape, data: layout.read(values, name) }])),
    baseModel: settings.base_model_name_or_path as string | null,
  };
}

/**
 * Checks the full parameters of a model in a file.
 *
 * @param saved by their names in the model; a second copy of tied word embeddings is removed
 */
function checkSaved(
  model: TunableModel,
  saved: AdapterTensors,
  { config }: StoredAdapter,
  where: string,
): void {
  const modules = savedModules.safeParse(config.modules_to_save).data ?? null;
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
 * Defines the kind of a `peft_type`.
 *
 * @param factsOf returns the facts that its tensors' names do not show
 */
export function peftKind<Config>(
  files: PeftFiles<Config>,
  tunerOf: TunerOf<Config>,
  factsOf: (config: Config, tensors: AdapterTensors) => Partial<AdapterSummary> = () => ({}),
): AdapterKind {
  return {
    name: files.peftType,
    reads: ({ config }) => config.peft_type === files.peftType,
    import: (model, stored, where) => importPeft(files, model, stored, where, tunerOf),
    facts: (stored, where) => ({
      ranks: {},
      settings: {},
      isOwn: (key) => isOwnTensor(files, key),
      ...factsOf(peftSettings(files, stored, where), stored.tensors),
    }),
  };
}
