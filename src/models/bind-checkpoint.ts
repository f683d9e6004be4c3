import type { WeightLocation } from '../engine/onnx/lower.ts';
import { elementCount } from '../support/arrays.ts';
import { Random } from '../support/random.ts';
import { InvalidFile } from '../support/user-error.ts';
import type { ModelDefinition } from './model-definition.ts';

/** Initializes a new parameter as in transformers: norms with 1, biases with 0, other weights with normal values. */
export function initialize(
  name: string,
  shape: readonly number[],
  seed: number,
  standardDeviation: number,
): Float32Array {
  const length = elementCount(shape);
  if (name.endsWith('.bias')) return new Float32Array(length);
  if (shape.length === 1) return new Float32Array(length).fill(1);
  return new Random(seed, `init ${name}`).normals(length, standardDeviation);
}

type Renamed = Pick<ModelDefinition, 'renamedModules' | 'storedNames'>;

/** The name of a parameter in files that transformers writes. */
export function nameInFiles({ renamedModules = [], storedNames }: Renamed, name: string): string {
  if (storedNames?.[name] !== undefined) return storedNames[name];
  return renamedModules.reduce((result, [current, inFiles]) => replacePart(result, current, inFiles), name);
}

/** The name in the model of a parameter or module that has an older name in a file. */
export function nameFromFiles({ renamedModules = [] }: Renamed, name: string): string {
  return renamedModules.reduce((result, [current, inFiles]) => replacePart(result, inFiles, current), name);
}

/** Replaces consecutive modules in a path. */
function replacePart(path: string, from: string, to: string): string {
  const inner = `.${path}.`.replace(`.${from}.`, `.${to}.`);
  return inner.slice(1, -1);
}

/** The location of a tensor in a checkpoint. */
interface TensorPlace {
  dtype: string;
  shape: readonly number[];
  file: string;
  begin: number;
  end: number;
  /** The order of the axes in these bytes, slowest first; undefined if row-major. */
  axes?: readonly number[];
}

export interface TensorSource {
  names(): string[];
  info(name: string): TensorPlace;
}

/** Names of layer norm parameters in old checkpoints, converted from TensorFlow. */
const OLD_NAMES: readonly [RegExp, string][] = [
  [/\.weight$/, '.gamma'],
  [/\.bias$/, '.beta'],
];

const ENGINE_DTYPES: Record<string, WeightLocation['dtype']> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

interface BindOptions {
  /** The checkpoint's location, for messages. */
  where: string;
  /** Prefixes of the base model. A checkpoint uses one of them, or none if it contains only the base model. */
  baseModelPrefixes: readonly string[];
  /** Other names of tied parameters. Such a name is ignored if it is also the name of another parameter. */
  tiedNames?: Readonly<Record<string, readonly string[]>>;
  /** Returns another name that a parameter may have in files. */
  nameInFiles?: (name: string) => string;
  /** Whether a parameter may be missing or have another shape, because it belongs to a new head. */
  mayInitialize: (name: string) => boolean;
}

/**
 * Finds each parameter of a model in a checkpoint. The checkpoint may use the parameter's name, an old name,
 * or the name of a tied parameter. The base model's prefix may be missing, doubled or another one, and all
 * tensors may have a further prefix in common. The result omits parameters that will be initialized.
 *
 * @throws UserError that lists every tensor that is missing or has another shape, with both shapes
 */
export function bindCheckpoint(
  parameters: ReadonlyMap<string, readonly number[]>,
  source: TensorSource,
  { where, baseModelPrefixes, tiedNames = {}, nameInFiles = String, mayInitialize }: BindOptions,
): Map<string, string> {
  const present = new Set(source.names());
  const outer = sharedPrefix([...present]);
  const bound = new Map<string, string>();
  const problems: string[] = [];
  for (const [name, shape] of parameters) {
    const tied = (tiedNames[name] ?? []).filter((other) => !parameters.has(other));
    const all = [name, nameInFiles(name), ...tied];
    const names = all.flatMap((own) => candidates(own, baseModelPrefixes));
    const match = [...names, ...names.map((own) => outer + own)].find((candidate) => present.has(candidate));
    const stored = match === undefined ? undefined : source.info(match);
    const fits = stored?.shape.join() === shape.join();
    if (match !== undefined && stored && fits && Object.hasOwn(ENGINE_DTYPES, stored.dtype)) {
      bound.set(name, match);
    } else if (fits || !mayInitialize(name)) {
      const wanted = `F32, F16 or BF16 [${shape}]`;
      const problem = stored ? `is ${stored.dtype} [${stored.shape}] instead of` : 'is missing; it should be';
      problems.push(`  ${name} ${problem} ${wanted}`);
    }
  }
  if (problems.length === 0) return bound;
  const shown = problems.slice(0, 10).join('\n');
  const more = problems.length > 10 ? `\n  and ${problems.length - 10} more` : '';
  throw new InvalidFile(`${where} does not fit its config.json:\n${shown}${more}`);
}

/** The location of a tensor for the engine, as a file of the weight folder. */
export function weightLocation({ dtype, file, begin, end, axes }: TensorPlace): WeightLocation {
  const name = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
  return { file: name, begin, end, dtype: ENGINE_DTYPES[dtype]!, ...(axes && { axes }) };
}

/** The possible names of a parameter in a checkpoint, the most likely first. */
function candidates(name: string, prefixes: readonly string[]): string[] {
  const usedPrefix = prefixes.find((prefix) => name.startsWith(`${prefix}.`));
  const bare = usedPrefix === undefined ? [] : [name.slice(usedPrefix.length + 1)];
  const prefixed = [...bare, name].flatMap((rest) => prefixes.map((prefix) => `${prefix}.${rest}`));
  return [name, ...bare, ...prefixed].flatMap((current) => [
    current,
    ...OLD_NAMES.filter(([ending]) => ending.test(current)).map(([ending, old]) =>
      current.replace(ending, old),
    ),
  ]);
}

/** The common prefix of all names, such as `model.`. It comes from a wrapper around the model. */
function sharedPrefix(names: readonly string[]): string {
  let shared = names[0]?.split('.').slice(0, -1) ?? [];
  for (const name of names) {
    const parts = name.split('.');
    const differs = shared.findIndex((part, i) => part !== parts[i]);
    if (differs >= 0) shared = shared.slice(0, differs);
  }
  return shared.map((part) => `${part}.`).join('');
}
