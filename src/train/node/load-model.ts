import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TaskType } from '../../data/task-type.ts';
import { type Checkpoint, openCheckpoint } from '../../formats/node/checkpoint.ts';
import { missingFile } from '../../formats/node/missing-file.ts';
import { bindCheckpoint, weightLocation } from '../../models/bind-checkpoint.ts';
import { initialise } from '../../models/initialise.ts';
import type { CommonConfig, ModelDefinition } from '../../models/model-definition.ts';
import { modelFamily } from '../../models/registry.ts';
import type { LocateWeight } from '../../onnx/lower.ts';
import { elementCount } from '../../support/element-count.ts';
import { UserError } from '../../support/user-error.ts';
import { type SequenceModel, sequenceModel } from '../../tasks/sequence-model.ts';
import type { TaskModel } from '../../tasks/task-model.ts';
import type { ReadParameter } from '../../tuners/tuner.ts';

/** A model whose weights lie in a folder, ready to be mapped. */
export type LoadedModel<Model extends TaskModel = SequenceModel> = Model & ModelWeights;

export interface ModelWeights {
  /** The real folder of the weight files. */
  weightFolder: string;
  locate: LocateWeight;
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
  return described(folder, sequence(task, labels));
}

/** Opens a model folder for sequence classification or regression, as {@link openModel} does. */
export function loadModel(folder: string, task: TaskType, labels?: number): LoadedModel {
  return openModel(folder, sequence(task, labels));
}

/** Opens a model folder's checkpoint and checks every tensor against the model; no weight is read yet. */
export function openModel<Model extends TaskModel>(folder: string, build: Build<Model>): LoadedModel<Model> {
  const model = described(folder, build);
  const checkpoint = openCheckpoint(folder);
  try {
    return { ...model, ...bound(model, checkpoint, folder) };
  } catch (error) {
    checkpoint.close();
    throw error;
  }
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

function described<Model>(folder: string, build: Build<Model>): Model {
  const json = readModelConfig(folder);
  const where = join(folder, 'config.json');
  const definition = modelFamily(json, where);
  return build(definition, definition.parseConfig(json, where));
}

function bound(
  { definition, head, config, parameters, buffers }: TaskModel,
  checkpoint: Checkpoint,
  folder: string,
): ModelWeights {
  const mayLack = [...head.modules, ...(head.mayLack ?? [])];
  const names = bindCheckpoint(new Map([...parameters, ...buffers]), checkpoint, {
    where: folder,
    baseModelPrefix: definition.baseModelPrefix,
    mayInitialise: (name) => buffers.has(name) || mayLack.some((module) => name.startsWith(`${module}.`)),
  });
  const initial = (name: string, shape: readonly number[], seed: number) =>
    buffers.has(name)
      ? new Float32Array(elementCount(shape))
      : initialise(name, shape, seed, config.initializerRange);
  const stored = (name: string) => names.get(name) as string;
  const folders = new Set([...names.values()].map((name) => dirname(checkpoint.info(name).file)));
  if (folders.size !== 1) throw new Error(`the shards of ${folder} lie in ${folders.size} folders`);
  return {
    weightFolder: [...folders][0],
    locate: (name) =>
      names.has(name)
        ? weightLocation(checkpoint.info(stored(name)))
        : { data: initial(name, (parameters.get(name) ?? buffers.get(name)) as readonly number[], 0) },
    reader: (seed) => (name, shape) =>
      names.has(name) ? checkpoint.readFloat32(stored(name)) : initial(name, shape, seed),
    readRange: (name, start, end) => checkpoint.readFloat32(stored(name), start, end),
    initialised: [...parameters.keys()].filter((name) => !names.has(name)),
    close: () => checkpoint.close(),
  };
}
