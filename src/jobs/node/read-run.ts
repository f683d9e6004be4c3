import { resolveModel } from '../../data/hub/node/resolve-model.ts';
import { textFile, textFiles } from '../../data/node/text-files.ts';
import type { Evaluation, ExampleSet } from '../../program/example-set.ts';
import type { RunConfig } from '../../run/config/run-config.ts';
import { runTask } from '../../tasks/registry.ts';
import type { BuildTask } from '../../tasks/task-definition.ts';
import { readFamily } from '../../trained/node/load-model.ts';
import { openText } from '../../trained/node/open-text.ts';
import { readStart } from './starting-adapter.ts';

/** What a run and its plan begin with. */
export interface RunBeginning extends ReturnType<typeof readStart> {
  /** The base model's folder. */
  folder: string;
  /** Paths of the data, folders resolved. */
  dataFiles: readonly string[];
  /** The config's, with what it leaves to the files. */
  data: RunConfig['data'];
  /** Class names by id; none for tasks without. */
  labels: readonly string[];
  build: BuildTask;
  /** Tokens that an example may have. */
  maxLength: number;
  /** Tokenizes everything. `began`: what time chat templates are told. */
  encode(began: Date, onProgress?: (share: number) => void): { train: ExampleSet; validation?: Evaluation };
}

/** Reads the adapter to go on from, finds the model, and reads the data and its classes; no weight is read. */
export async function readRun(given: RunConfig): Promise<RunBeginning> {
  const { config, start } = readStart(given);
  const folder = await resolveModel(config.model);
  const family = readFamily(folder);
  const task = runTask(config.task);
  const { data } = config;
  const filesAt = (path: string) => (task.takesFolders ? textFiles(path) : [textFile(path)]);
  const trainFiles = filesAt(data.train);
  const validationFiles = data.validation === undefined ? undefined : filesAt(data.validation);
  const train = task.read(trainFiles, data);
  const validation = validationFiles && task.read(validationFiles, data);
  const labels = task.labels(train, {
    fileName: data.train,
    ...family,
    adapter: start && { path: String(config.adapter), labels: start.notes?.labels, tensors: start.tensors },
  });
  const text = openText(folder, family.config, data.max_length);
  return {
    config,
    start,
    folder,
    dataFiles: [...trainFiles, ...(validationFiles ?? [])].map(({ name }) => name),
    data: { ...data, ...task.found?.(train, data) } as RunConfig['data'],
    labels,
    build: task.build(labels),
    maxLength: text.maxLength,
    encode(began, onProgress) {
      const chatTemplate = () => text.chatTemplate(began);
      const context = { ...text, chatTemplate, reading: data, labels, seed: config.seed, onProgress };
      return {
        train: task.examples(train, context),
        ...(validationFiles && {
          validation: task.evaluation(validation, context, config.training.per_device_eval_batch_size),
        }),
      };
    },
  };
}
