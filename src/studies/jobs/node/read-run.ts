import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { filesOf } from '../../../input/data/node/text-files.ts';
import { textInMemory } from '../../../input/data/rows.ts';
import type { TextFile } from '../../../input/data/text-file.ts';
import { readAdapter } from '../../../input/formats/adapters/node/adapter-folder.ts';
import { adapterFileNames } from '../../../input/formats/adapters/read-stored-adapter.ts';
import type { DownloadProgress } from '../../../input/formats/byte-source.ts';
import { weightFiles } from '../../../input/formats/node/checkpoint.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { resolveModel } from '../../../input/hub/node/resolve-model.ts';
import type { OwnFunctions } from '../../../methods/tuners/own-function.ts';
import { moduleOfMethod } from '../../../methods/tuners/registry.ts';
import { assertedFormat } from '../../../program/bases/base-format.ts';
import { withDigests } from '../../../program/modalities/picture-files.ts';
import type { OwnScores } from '../../../program/own-scores.ts';
import { moduleOfTask, taskNamed } from '../../../tasks/registry.ts';
import { methodOf } from '../../../training/run/config/method-of.ts';
import type { ParsedConfig } from '../../../training/run/config/run-config.ts';
import type { SoundConfig } from '../../../training/run/config/sound-config.ts';
import { DESCRIBING_FILES } from '../../../use/trained/full-model.ts';
import { readFolder } from '../../../use/trained/node/load-model.ts';
import { locateAdapter } from '../../../use/trained/node/locate-trained.ts';
import { readNotes } from '../../../use/trained/notes.ts';
import type { StartingAdapter } from '../begin-run.ts';
import { type ReadRun, readMaterial } from '../read-material.ts';
import type { TextsInMemory } from '../rows-in-memory.ts';
import { startFrom } from '../start-from.ts';
import { assertModelNamed } from './look-at-all.ts';
import { withAllErrors } from './with-all-errors.ts';

/** A run whose model and data are files. */
export interface RunOfFiles extends ReadRun {
  /** The base model's folder. */
  folder: string;
  /**
   * Everything that determines the run's values: data, starting adapter and model. Files are given by their
   * paths.
   */
  files(): readonly (string | TextFile)[];
}

/** The values that the calling program passes to a run in memory. */
export interface InMemory {
  /** Data by name. The config contains the names instead of the data. */
  texts?: TextsInMemory;
  ownScores?: OwnScores;
  functions?: OwnFunctions;
}

/**
 * Reads the starting adapter, finds the model, and reads the data and its classes. Weights are not read.
 *
 * @throws UserError with all problems
 */
export async function readRun(
  given: ParsedConfig,
  onDownload?: (progress: DownloadProgress) => void,
  memory: InMemory = {},
): Promise<RunOfFiles> {
  return withAllErrors(
    () => read(given, onDownload, memory),
    soundOf(given),
    Object.keys(memory.texts ?? {}),
  );
}

async function read(
  parsed: ParsedConfig,
  onDownload: ((progress: DownloadProgress) => void) | undefined,
  { texts = {}, ownScores, functions }: InMemory,
): Promise<RunOfFiles> {
  const { config, start, files } = await readStart(parsed);
  assertModelNamed(config.model, config.task);
  const pools = taskNamed(config.task).prediction?.vectors !== undefined;
  const folder = await resolveModel(config.model, { onProgress: onDownload, pools });
  const base = await readFolder(folder, config.model_config);
  const { takesFolders } = taskNamed(config.task).files;
  const run = await readMaterial({ config, start, ownScores, functions }, base, async (path) =>
    Object.hasOwn(texts, path)
      ? [textInMemory(path, texts[path]!)]
      : filesOf(config.data, path, takesFolders, onDownload),
  );
  // Fails early, before the weights are read, if no weight of the model can be stored in this type.
  const { base_dtype: dtype } = config;
  if (dtype !== 'float32') assertedFormat(run.model(), dtype);
  return {
    ...run,
    folder,
    files: () => [
      ...run.dataFiles.map((file) => {
        if (file.pictures) return withDigests(file);
        return Object.hasOwn(texts, file.name) ? file : file.name;
      }),
      ...files,
      ...definingFiles(config),
      ...modelFiles(folder, config.model_init),
    ],
  };
}

/** The parts of a valid config on which errors in its files may depend. */
function soundOf({ training, ...config }: ParsedConfig): SoundConfig {
  return { ...config, settings: methodOf(config).settings, max_steps: training.max_steps };
}

/** The files that define the run's method and task, if these are not built in. */
function definingFiles({ method, task }: ParsedConfig): (string | TextFile)[] {
  const urls = new Set([moduleOfMethod(method), moduleOfTask(task)]);
  return [...urls].flatMap((url) => {
    if (url === undefined) return [];
    return url.startsWith('file:') ? fileURLToPath(url) : textInMemory(url, url);
  });
}

/** The files of a model folder that affect training. */
function modelFiles(folder: string, init: ParsedConfig['model_init']): string[] {
  const small = DESCRIBING_FILES.map((name) => join(folder, name)).filter((path) => existsSync(path));
  return init === 'random' ? small : [...small, ...weightFiles(folder)];
}

/**
 * Reads the adapter that a config names, if any, and completes the config from it.
 *
 * @throws UserError for an adapter that is missing, damaged, or of another method or task, and for config
 * keys that contradict it
 */
async function readStart(
  parsed: ParsedConfig,
): Promise<{ config: ParsedConfig; start?: StartingAdapter; files: readonly string[] }> {
  if (parsed.adapter === undefined) return { config: parsed, files: [] };
  const { folder } = await locateAdapter(parsed.adapter);
  const [inFolder, stored] = [folderFiles(folder), await readAdapter(folder)];
  const names = await adapterFileNames(inFolder, stored);
  return {
    ...startFrom(parsed, stored, await readNotes(inFolder)),
    files: names.map((name) => join(folder, name)),
  };
}
