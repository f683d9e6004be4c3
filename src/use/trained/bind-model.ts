import type { Checkpoint } from '../../input/formats/checkpoint.ts';
import { tiedOutputs } from '../../methods/tuners/whole-parameters.ts';
import { bindCheckpoint, initialize, nameInFiles, weightLocation } from '../../models/bind-checkpoint.ts';
import type { CommonConfig, Head, ModelDefinition } from '../../models/model-definition.ts';
import { modelFamily } from '../../models/registry.ts';
import type { SentenceSettings } from '../../models/sentence-settings.ts';
import type { TaskModel } from '../../program/objectives/task-model.ts';
import type { LoadedModel, ModelWeights } from '../../program/weight-memory.ts';
import { elementCount } from '../../support/arrays.ts';
import { InvalidFile } from '../../support/user-error.ts';

/** Builds a model of a family. */
export type Build<Model> = (definition: ModelDefinition, config: CommonConfig) => Model;

/** A model's family, and its parsed config.json. */
export interface Family {
  definition: ModelDefinition;
  config: CommonConfig;
}

/**
 * The family of a config.json.
 *
 * @throws UserError for an unknown `model_type`, and for all problems in the file, with a line for each
 */
export function findFamily(json: unknown, where: string): Family {
  const definition = modelFamily(json, where);
  const config = definition.parseConfig(json, where);
  checkTokens(config, where);
  return { definition, config };
}

/** The family of a model that makes text vectors with these settings. */
export function withSentence(family: Family, sentence: SentenceSettings | undefined): Family {
  return sentence ? { ...family, config: { ...family.config, sentence } } : family;
}

/** Checks that the tokens of a config.json are in its vocabulary. */
function checkTokens({ vocabSize, padTokenId, decoderStartTokenId }: CommonConfig, where: string): void {
  const tokens = { pad_token_id: padTokenId, decoder_start_token_id: decoderStartTokenId };
  for (const [key, id] of Object.entries(tokens)) {
    if (id === undefined || id < vocabSize) continue;
    throw new InvalidFile({
      where: `${where}, ${key}`,
      fault: `must be below ${vocabSize}, its vocab_size, got ${id}`,
    });
  }
}

/**
 * Binds a model to a checkpoint. Every tensor is checked, but not read yet.
 *
 * @param weightFolder folder of the files that `checkpoint` names
 * @throws UserError for tensors that are missing or have another shape
 */
export function bindModel<Model extends TaskModel>(
  described: Model,
  whole: Checkpoint,
  where: string,
  weightFolder: (files: ReadonlySet<string>) => string,
): LoadedModel<Model> {
  const checkpoint = withCutTensors(whole, described.definition);
  const model = asStored(described, checkpoint, where);
  const { head, parameters } = model;
  const names = storedNames(model, checkpoint, where);
  const initial = newValues(model);
  const stored = (name: string) => names.get(name) as string;
  const weights: ModelWeights = {
    weightFolder: weightFolder(new Set([...names.values()].map((name) => checkpoint.info(name).file))),
    locate: (name) =>
      names.has(name) ? weightLocation(checkpoint.info(stored(name))) : { data: initial(name, 0) },
    reader: (seed) => (name) =>
      names.has(name) ? checkpoint.readFloat32(stored(name)) : initial(name, seed),
    readRange: (name, start, end) => checkpoint.readFloat32(stored(name), start, end),
    fileOf: (name) => (names.has(name) ? checkpoint.info(stored(name)).file : undefined),
    initialized: [...parameters.keys()].filter((name) => !names.has(name)),
    close: () => checkpoint.close(),
  };
  return { ...model, ...weights, head: withAbsent(head, weights) };
}

/**
 * The model with output weights as in a checkpoint. As in transformers, a checkpoint with output weights that differ
 * from the word embeddings has both, whatever its config.json says.
 */
function asStored<Model extends TaskModel>(model: Model, checkpoint: Checkpoint, where: string): Model {
  const outputs = outputNames(model, checkpoint, where);
  if (!outputs) return model;
  const { tied, own, output, table } = outputs;
  const isOwn = output !== undefined && table !== undefined && !haveSameValues(checkpoint, output, table);
  return (isOwn ? own : tied) as Model;
}

/**
 * The two forms of a model whose output weights may be the word embeddings, and the names of both matrices in a
 * checkpoint. Undefined if its config.json already decides.
 */
function outputNames(
  model: TaskModel,
  checkpoint: Pick<Checkpoint, 'names' | 'info'>,
  where: string,
): { tied: TaskModel; own: TaskModel; output?: string; table?: string } | undefined {
  const { definition, config, withConfig } = model;
  if (!withConfig) return undefined;
  const tied = definition.alwaysTies
    ? withConfig({ ...config, tie_word_embeddings: true, ownOutput: false } as CommonConfig)
    : model;
  const [output, table] = tiedOutputs(tied).find(([name]) => !tied.parameters.has(name)) ?? [];
  if (output === undefined || table === undefined) return undefined;
  const own = withConfig({ ...tied.config, ownOutput: true });
  const shapes = [output, table].map((name) => [name, own.parameters.get(name)!] as const);
  const names = bindCheckpoint(new Map(shapes), checkpoint, {
    where,
    baseModelPrefixes: listPrefixes(tied),
    tiedNames: definition.tiedNames,
    mayInitialize: () => true,
  });
  return { tied, own, output: names.get(output), table: names.get(table) };
}

/** Number of values compared at a time. Matrices that differ do so in the first block. */
const COMPARED = 2 ** 18;

function haveSameValues(checkpoint: Checkpoint, first: string, second: string): boolean {
  const length = elementCount(checkpoint.info(first).shape);
  for (let start = 0; start < length; start += COMPARED) {
    const end = Math.min(length, start + COMPARED);
    const [a, b] = [first, second].map((name) => checkpoint.readFloat32(name, start, end)) as [
      Float32Array,
      Float32Array,
    ];
    if (a.some((value, i) => value !== b[i])) return false;
  }
  return true;
}

/**
 * The names of all tensors that {@link bindModel} may read.
 *
 * @throws UserError like {@link bindModel}
 */
export function readNames(
  model: TaskModel,
  checkpoint: Pick<Checkpoint, 'names' | 'info'>,
  where: string,
): string[] {
  const { tied, output, table } = outputNames(model, checkpoint, where) ?? { tied: model };
  const names = storedNames(tied, withCutTensors(checkpoint, model.definition), where).values();
  const read = [...names, ...[output, table].filter((name) => name !== undefined)];
  return [...new Set(read.map((name) => cutFrom(checkpoint, model.definition, name)))];
}

function listPrefixes({ definition, head }: TaskModel): string[] {
  return [definition.baseModelPrefix, head.baseModelPrefix ?? ''].filter((prefix) => prefix !== '');
}

/**
 * The names of a model's tensors in a checkpoint, by the model's names.
 *
 * @throws UserError like {@link bindModel}
 */
function storedNames(
  model: TaskModel,
  checkpoint: Pick<Checkpoint, 'names' | 'info'>,
  where: string,
): Map<string, string> {
  const { definition, head, parameters, buffers } = model;
  const mayLack = [...head.modules, ...(head.mayLack ?? [])];
  return bindCheckpoint(new Map([...parameters, ...buffers]), checkpoint, {
    where,
    baseModelPrefixes: listPrefixes(model),
    tiedNames: definition.tiedNames,
    nameInFiles: (name) => nameInFiles(definition, name),
    mayInitialize: (name) => buffers.has(name) || mayLack.some((module) => name.startsWith(`${module}.`)),
  });
}

/** Binds another model of the same family, without a head, to the weights below a model's head. */
export function belowHead(model: LoadedModel, other: TaskModel): LoadedModel {
  const { parameters, buffers, definition, locate, reader, readRange, fileOf } = model;
  const named = (name: string) =>
    parameters.has(name) || buffers.has(name) ? name : `${definition.baseModelPrefix}.${name}`;
  return {
    ...model,
    ...other,
    locate: (name) => locate(named(name)),
    reader: (seed) => {
      const read = reader(seed);
      return (name, shape) => read(named(name), shape);
    },
    readRange: (name, start, end) => readRange(named(name), start, end),
    fileOf: (name) => fileOf(named(name)),
    initialized: [],
  };
}

/** A model with new weights, without a checkpoint. */
export function newModel<Model extends TaskModel>(model: Model, weightFolder: string): LoadedModel<Model> {
  const initial = newValues(model);
  return {
    ...model,
    weightFolder,
    locate: (name) => ({ data: initial(name, 0) }),
    reader: (seed) => (name) => initial(name, seed),
    readRange: (name, start, end) => initial(name, 0).subarray(start, end),
    fileOf: () => undefined,
    initialized: [...model.parameters.keys()],
    close: () => {},
  };
}

/** Trains the modules that the checkpoint lacks as well, because their initial values are random. */
function withAbsent(head: Head, { initialized }: ModelWeights): Head {
  const absent = (head.mayLack ?? []).filter((module) =>
    initialized.some((name) => name.startsWith(`${module}.`)),
  );
  return { ...head, modules: [...head.modules, ...absent] };
}

/** Returns the initial value of a parameter or buffer that is not in a checkpoint. */
function newValues({ config, parameters, buffers }: TaskModel) {
  return (name: string, seed: number) => {
    const buffer = buffers.get(name);
    if (buffer) return new Float32Array(elementCount(buffer));
    const shape = parameters.get(name) as readonly number[];
    return initialize(name, shape, seed, config.deviationOf?.(name, shape) ?? config.initializerRange);
  };
}

type Cut = Pick<ModelDefinition, 'cutModules'>;

interface Tensors {
  names(): string[];
  info(name: string): { shape: readonly number[]; begin: number; end: number };
}

interface Readable extends Tensors {
  readFloat32(name: string, start?: number, end?: number): Float32Array;
}

/**
 * A checkpoint in which parts of tensors are tensors of their own, for families whose modules transformers 5 cuts. A part
 * is a range of rows, so it stays a range of bytes.
 */
function withCutTensors<Source extends Tensors>(source: Source, definition: Cut): Source {
  if (!definition.cutModules) return source;
  const parts = new Map(source.names().flatMap((whole) => listParts(definition, whole)));
  const range = (name: string, size: number) => {
    const { whole, i, count } = parts.get(name)!;
    return { whole, from: (i * size) / count, to: ((i + 1) * size) / count };
  };
  const elements = (name: string) => source.info(parts.get(name)!.whole).shape.reduce((a, b) => a * b, 1);
  const { readFloat32 } = source as Partial<Readable>;
  return {
    ...source,
    names: () => [...source.names(), ...parts.keys()],
    info(name: string) {
      const part = parts.get(name);
      if (!part) return source.info(name);
      const info = source.info(part.whole);
      const { from, to } = range(name, info.end - info.begin);
      const [rows, ...rest] = info.shape;
      return {
        ...info,
        shape: [rows! / part.count, ...rest],
        begin: info.begin + from,
        end: info.begin + to,
      };
    },
    ...(readFloat32 && {
      readFloat32(name: string, start?: number, end?: number) {
        if (!parts.has(name)) return readFloat32.call(source, name, start, end);
        const { whole, from, to } = range(name, elements(name));
        return readFloat32.call(source, whole, from + (start ?? 0), end === undefined ? to : from + end);
      },
    }),
  };
}

/** The name of the tensor in a file that has a tensor of {@link withCutTensors}. */
function cutFrom(source: Pick<Tensors, 'names'>, definition: Cut, name: string): string {
  if (source.names().includes(name)) return name;
  const parts = source.names().flatMap((whole) => listParts(definition, whole));
  return parts.find(([part]) => part === name)?.[1].whole ?? name;
}

function listParts({ cutModules = {} }: Cut, name: string) {
  return Object.entries(cutModules).flatMap(([whole, parts]) =>
    `.${name}`.includes(`.${whole}.`)
      ? parts.map(
          (part, i) => [replaced(name, whole, part), { whole: name, i, count: parts.length }] as const,
        )
      : [],
  );
}

const replaced = (name: string, from: string, to: string) =>
  `.${name}`.replace(`.${from}.`, `.${to}.`).slice(1);
