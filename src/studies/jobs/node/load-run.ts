import { basename, dirname } from 'node:path';
import { computeDigest } from '../../../input/formats/content-digest.ts';
import { disk, folderFiles } from '../../../input/formats/node/folder-files.ts';
import type { OnWritten } from '../../../program/bases/encode-base.ts';
import { withBaseDtype } from '../../../program/bases/with-base-dtype.ts';
import { type NodeEngineOptions, nodeEngine } from '../../../program/node/node-engine.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { UserError } from '../../../support/user-error.ts';
import { stepOfCheckpoint } from '../../../training/run/checkpoint-files.ts';
import type { ProgressEvent } from '../../../training/run/events.ts';
import { newModel } from '../../../use/trained/bind-model.ts';
import { models, openWeights } from '../../../use/trained/node/load-model.ts';
import { copySharedFiles } from '../../../use/trained/write-form.ts';
import { checkpointAt, writeCheckpointAdapter } from '../checkpoint-adapter.ts';
import { everySecond } from '../every-second.ts';
import type { RunBase } from '../folder-store.ts';
import { type SetUpRun, setUpRun } from '../set-up-run.ts';
import type { OpenedBase } from '../train-run.ts';
import { type RunOfFiles, readRun } from './read-run.ts';

/**
 * Loads everything that a training needs, in this process alone: opens the model, tokenizes the data, and sets up the
 * method.
 *
 * @throws UserError for a checkpoint that does not fit the model, unusable rows, or an adapter of another
 * model
 */
export async function loadRun(
  run: RunOfFiles,
  onProgress: (what: ProgressEvent['what'], share: number) => void = () => {},
): Promise<SetUpRun> {
  const tell = (what: ProgressEvent['what']) => everySecond((share) => onProgress(what, share));
  const model = await openBase(run, tell('base'));
  const { engine } = withEngine(run, model);
  return setUpRun(run, model, engine, { startedAt: new Date(), onProgress: tell('text') });
}

/** Opens the model that a run starts from, with its base in the config's type. Makes the base unless it is cached. */
export async function openBase(
  { config, folder, model: build }: RunOfFiles,
  onWritten: OnWritten,
): Promise<LoadedModel> {
  if (config.model_init === 'random') return newModel(build(), folder);
  return withBaseDtype(models.machine, openWeights(folder, build()), config.base_dtype, { onWritten });
}

/** Adds the engine of a run to its model. */
export function withEngine(
  { config: { device, threads } }: RunOfFiles,
  model: LoadedModel,
  options: NodeEngineOptions = { threads },
): OpenedBase {
  return { model, engine: nodeEngine(model, device, options) };
}

/** The base model of a run, in its folder. */
export function runBase(options?: NodeEngineOptions): RunBase<RunOfFiles> {
  return {
    weightDigests: (run) => run.weights().map((file) => computeDigest(disk, file)),
    copyShared: (run, to) => copySharedFiles(disk, run.folder, to),
    openFloat32: (run) => withEngine(run, openWeights(run.folder, run.model()), options),
  };
}

/**
 * Returns the path that a command opens, which is usually the given path. For a run's checkpoint, writes its
 * adapter or model to a folder next to it, and returns this folder.
 *
 * @param path a checkpoint's file, or any other path; with `step`, a run's folder
 * @throws UserError like {@link writeCheckpointAdapter}
 */
export async function trainedAt(path: string, step?: number): Promise<string> {
  const named = stepOfCheckpoint(basename(path));
  if (named === undefined && step === undefined) return path;
  if (named !== undefined && step !== undefined && named !== step)
    throw new UserError({ key: '--checkpoint', fault: `is ${step}, but ${path} is step ${named}` });
  const file = named === undefined ? checkpointAt(folderFiles(path), step as number, path) : path;
  const checkpoints = dirname(file);
  const output = file.replace(/\.safetensors$/, '');
  await writeCheckpointAdapter(
    folderFiles(dirname(checkpoints)),
    folderFiles(checkpoints),
    basename(file),
    folderFiles(output),
    { ...runBase(), read: (config) => readRun(config) },
  );
  return output;
}
