import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TaskType } from '../../data/task-type.ts';
import { type Checkpoint, openCheckpoint } from '../../formats/node/checkpoint.ts';
import { missingFile } from '../../formats/node/missing-file.ts';
import { bindCheckpoint, weightLocation } from '../../models/bind-checkpoint.ts';
import { initialise } from '../../models/initialise.ts';
import type { CommonConfig, Head, ModelDefinition } from '../../models/model-definition.ts';
import { modelFamily } from '../../models/registry.ts';
import type { LocateWeight } from '../../onnx/lower.ts';
import { elementCount } from '../../support/element-count.ts';
import { UserError } from '../../support/user-error.ts';
import { type SequenceModel, sequenceModel } from '../../objectives/sequence-model.ts';
import type { TaskModel } from '../../objectives/task-model.ts';
import type { ReadParameter } from '../../tuners/tuner.ts';

/** A model whose weights lie in a folder, ready to be mapped. */
export type LoadedModel<Model extends TaskModel = TaskModel> = Model & ModelWeights;

export interface ModelWeights {
  /** The real folder of the weight files. */
  weightFolder: string;
  locate: LocateWeight;
  /** Whether kernels copy the weights into an order of their own; where it is not said, a session's opener decides. */
  prepack?: boolean;
  /** Reads a parameter, or initialises it where the checkpoint has none that fits. */
  reader(seed: number): ReadParameter;
  /** Elements [start, end) of a parameter that the checkpoint has, as f32. */
  readRange(name: string, start: number, end: number): Float32Array;
  /** Parameters that the checkpoint lacks. */
  initialised: readonly string[];
  close(): void;
}

/** A config.json is a few kilobytes; label names make it longer. */
const MAX_CONFIG_BYTES = 16 * 2 ** 20;

/** Makes a model of a family for a task. */
type Build<Model> = (definition: ModelDefinition, config: CommonConfig) => Model;

/** Reads config.json alone: enough to know every parameter and module. `labels` replaces the number of labels. */
export function describeModel(folder: string, task: TaskType, labels?: number): SequenceModel {
  return describeAs(folder, sequence(task, labels));
}

/** The same for any task. */
export function describeAs<Model>(folder: string, build: Build<Model>): Model {
  const { definition, config } = readFamily(folder);
  return build(definition, config);
}

/** Opens a model folder for sequence classification or regression, as {@link openModel} does. */
export function loadModel(folder: string, task: TaskType, labels?: number): LoadedModel<SequenceModel> {
  return openModel(folder, sequence(task, labels));
}

/** The family of a model folder, and its config.json as that family reads it. */
export function readFamily(folder: string): { definition: ModelDefinition; config: CommonConfig } {
  const json = readModelConfig(folder);
  const where = join(folder, 'config.json');
  const definition = modelFamily(json, where);
  return { definition, config: definition.parseConfig(json, where) };
}

/** Opens a model folder's checkpoint and checks every tensor against the model; no weight is read yet. */
export function openModel<Model extends TaskModel>(folder: string, build: Build<Model>): LoadedModel<Model> {
  const model = describeAs(folder, build);
  const checkpoint = openCheckpoint(folder);
  try {
    const weights = bound(model, checkpoint, folder);
    return { ...model, ...weights, head: withAbsent(model.head, weights) };
  } catch (error) {
    checkpoint.close();
    throw error;
  }
}

/** The model that a folder's config.json describes, with new weights: a checkpoint is not looked for. */
export function newModel<Model extends TaskModel>(folder: string, build: Build<Model>): LoadedModel<Model> {
  const model = describeAs(folder, build);
  const initial = initialValues(model);
  return {
    ...model,
    weightFolder: folder,
    locate: (name) => ({ data: initial(name, 0) }),
    reader: (seed) => (name) => initial(name, seed),
    readRange: (name, start, end) => initial(name, 0).subarray(start, end),
    initialised: [...model.parameters.keys()],
    close: () => {},
  };
}

/** The content of a folder's config.json. */
export function readModelConfig(folder: string): Record<string, unknown> {
  const path = join(folder, 'config.json');
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw missingFile(path, 'the config.json of a Hugging Face model');
  if (stats.size > MAX_CONFIG_BYTES) {
    throw new UserError({ where: path, expected: `at most ${MAX_CONFIG_BYTES} bytes`, got: `${stats.size}` });
  }
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError({ where: path, expected: 'JSON', got: (error as Error).message });
  }
}

function sequence(task: TaskType, labels: number | undefined): Build<SequenceModel> {
  return (definition, config) =>
    sequenceModel(definition, { ...config, numLabels: labels ?? config.numLabels }, task);
}

/** A head whose modules that the checkpoint lacks are trained: as they are initialised, they are noise. */
function withAbsent(head: Head, { initialised }: ModelWeights): Head {
  const absent = (head.mayLack ?? []).filter((module) =>
    initialised.some((name) => name.startsWith(`${module}.`)),
  );
  return { ...head, modules: [...head.modules, ...absent] };
}

/** What a parameter or buffer is where no checkpoint has it. */
function initialValues({ config, parameters, buffers }: TaskModel) {
  return (name: string, seed: number) => {
    const buffer = buffers.get(name);
    if (buffer) return new Float32Array(elementCount(buffer));
    return initialise(name, parameters.get(name) as readonly number[], seed, config.initializerRange);
  };
}

function bound(model: TaskModel, checkpoint: Checkpoint, folder: string): ModelWeights {
  const { definition, head, parameters, buffers } = model;
  const mayLack = [...head.modules, ...(head.mayLack ?? [])];
  const names = bindCheckpoint(new Map([...parameters, ...buffers]), checkpoint, {
    where: folder,
    baseModelPrefixes: [definition.baseModelPrefix, head.baseModelPrefix ?? []].flat(),
    tiedNames: definition.tiedNames,
    mayInitialise: (name) => buffers.has(name) || mayLack.some((module) => name.startsWith(`${module}.`)),
  });
  const initial = initialValues(model);
  const stored = (name: string) => names.get(name) as string;
  const folders = new Set([...names.values()].map((name) => dirname(checkpoint.info(name).file)));
  if (folders.size !== 1) throw new Error(`the shards of ${folder} lie in ${folders.size} folders`);
  return {
    weightFolder: [...folders][0],
    locate: (name) =>
      names.has(name) ? weightLocation(checkpoint.info(stored(name))) : { data: initial(name, 0) },
    reader: (seed) => (name) =>
      names.has(name) ? checkpoint.readFloat32(stored(name)) : initial(name, seed),
    readRange: (name, start, end) => checkpoint.readFloat32(stored(name), start, end),
    initialised: [...parameters.keys()].filter((name) => !names.has(name)),
    close: () => checkpoint.close(),
  };
}
