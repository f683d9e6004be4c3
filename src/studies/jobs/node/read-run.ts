import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dataFiles, openDataFiles } from '../../../input/data/node/text-files.ts';
import { textInMemory } from '../../../input/data/rows.ts';
import type { TextFile } from '../../../input/data/text-file.ts';
import { adapterFileNames, readAdapterIn } from '../../../input/formats/adapters/read-stored-adapter.ts';
import type { DownloadProgress } from '../../../input/formats/byte-source.ts';
import { disk, folderFiles } from '../../../input/formats/node/folder-files.ts';
import { weightFiles } from '../../../input/formats/open-checkpoint.ts';
import { hub, resolveModel } from '../../../input/hub/node/resolve-model.ts';
import type { OwnFunctions } from '../../../methods/tuners/own-function.ts';
import { moduleOfMethod } from '../../../methods/tuners/registry.ts';
import { assertedFormat } from '../../../program/bases/base-format.ts';
import { withDigests } from '../../../program/modalities/pictures.ts';
import type { OwnScores } from '../../../program/own-scores.ts';
import { moduleOfTask, taskNamed } from '../../../tasks/registry.ts';
import { readMethod } from '../../../training/run/config/read-method.ts';
import type { ParsedConfig } from '../../../training/run/config/run-config.ts';
import type { SoundConfig } from '../../../training/run/config/sound-config.ts';
import { DESCRIBING_FILES } from '../../../use/trained/full-model.ts';
import { locateAdapter } from '../../../use/trained/locate-trained.ts';
import { describeFolder, readFolder } from '../../../use/trained/node/load-model.ts';
import { assertModelNamed, type ConfigFiles } from '../look-at-all.ts';
import { type ReadRun, readMaterial } from '../read-material.ts';
import type { TextsInMemory } from '../rows-in-memory.ts';
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
  /** The weight files of the model, the last ones of these. Empty for random weights. */
  weights(): readonly string[];
}

/** Files on the disks of this machine. */
export const CONFIG_FILES: ConfigFiles = {
  has: existsSync,
  adapter: (path: string) => locateAdapter(hub, path),
  model: async (name, changes) => describeFolder(await resolveModel(name), changes),
  data: dataFiles,
};

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
    pickSound(given),
    Object.keys(memory.texts ?? {}),
  );
}

async function read(
  parsed: ParsedConfig,
  onDownload: ((progress: DownloadProgress) => void) | undefined,
  { texts = {}, ownScores, functions }: InMemory,
): Promise<RunOfFiles> {
  let folder = '';
  let adapterFiles: readonly string[] = [];
  const run = await readMaterial<TextFile>(
    parsed,
    { ownScores, functions },
    {
      async adapter(name) {
        const located = await locateAdapter(hub, name);
        const [files, stored] = [folderFiles(located.folder), await readAdapterIn(disk, located.folder)];
        adapterFiles = (await adapterFileNames(files, stored)).map(files.path);
        return { stored, files };
      },
      async base({ model, task, model_config }) {
        assertModelNamed(model, task);
        const pools = taskNamed(task).prediction?.vectors !== undefined;
        folder = await resolveModel(model, { onProgress: onDownload, pools });
        return readFolder(folder, model_config);
      },
      data: async ({ task, data }, path) =>
        Object.hasOwn(texts, path)
          ? [textInMemory(path, texts[path]!)]
          : openDataFiles(data, path, taskNamed(task).files.takesFolders, onDownload),
    },
  );
  const { config } = run;
  // Fails early, before the weights are read, if no weight of the model can be stored in this type.
  const { base_dtype: dtype } = config;
  if (dtype !== 'float32') assertedFormat(run.model(), dtype);
  const weights = () => (config.model_init === 'random' ? [] : weightFiles(disk, folder));
  return {
    ...run,
    folder,
    weights,
    files: () => [
      ...run.dataFiles.map((file) => {
        if (file.pictures) return withDigests(file);
        return Object.hasOwn(texts, file.name) ? file : file.name;
      }),
      ...adapterFiles,
      ...definingFiles(config),
      ...DESCRIBING_FILES.map((name) => join(folder, name)).filter((path) => existsSync(path)),
      ...weights(),
    ],
  };
}

/** The parts of a valid config on which errors in its files may depend. */
function pickSound({ training, ...config }: ParsedConfig): SoundConfig {
  return { ...config, settings: readMethod(config).settings, max_steps: training.max_steps };
}

/** The files that define the run's method and task, if these are not built in. */
function definingFiles({ method, task }: ParsedConfig): (string | TextFile)[] {
  const urls = new Set([moduleOfMethod(method), moduleOfTask(task)]);
  return [...urls].flatMap((url) => {
    if (url === undefined) return [];
    return url.startsWith('file:') ? fileURLToPath(url) : textInMemory(url, url);
  });
}
