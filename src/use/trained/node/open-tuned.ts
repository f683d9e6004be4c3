import { adapterConfigFile, readAdapter } from '../../../input/formats/adapters/node/adapter-folder.ts';
import type { DownloadProgress } from '../../../input/formats/byte-source.ts';
import { weightFiles } from '../../../input/formats/node/checkpoint.ts';
import { digestOf } from '../../../input/formats/node/content-digest.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { resolveModel } from '../../../input/hub/node/resolve-model.ts';
import { otherWeights, readNotes } from '../notes.ts';
import { askedBy, openedTask } from '../opened-task.ts';
import { setFitNotes } from '../setfit.ts';
import type { OpenedTuned } from '../trained-parts.ts';
import { type KnownAdapter, knownAdapter, tuneModel } from '../tune-model.ts';
import { openWeights, readFolder } from './load-model.ts';
import { type Located, locateTrained } from './locate-trained.ts';
import { resolveBase } from './resolve-base.ts';

export interface OpenTunedOptions {
  /** The base model, if it is not where the adapter says. */
  model?: string;
  /** Whether to open it for text generation, with a suitable head instead of its own. */
  generates?: boolean;
  /** Whether to open it for text vectors, even if it is a base model without a task. */
  embeds?: boolean;
  onProgress?: (progress: DownloadProgress) => void;
  /** Called with warnings. By default, they are warnings of the process. */
  onNotice?: (message: string) => void;
}

/**
 * Opens the folder of a run, an adapter (of any method here, of PEFT or AdapterHub) or a model, or any of them on the
 * Hub by its id. The weights of a model without an adapter never pass through JavaScript.
 *
 * @throws UserError for anything missing, damaged or incompatible
 */
export async function openTuned(path: string, options: OpenTunedOptions = {}): Promise<OpenedTuned> {
  const located = await locateTrained(path, { onProgress: options.onProgress, pools: options.embeds });
  const { folder } = located;
  const adapter =
    located.kind === 'adapter'
      ? knownAdapter(await readAdapter(folder), adapterConfigFile(folder))
      : undefined;
  const baseFolder = adapter ? await findBase(located, adapter, options) : folder;
  const known = await readNotes(folderFiles(folder));
  // A whole model has the changed fields in its own config.json.
  const base = await readFolder(baseFolder, adapter && known?.model_config);
  // A model without notes may be SetFit's.
  const isOwn = adapter || known || options.embeds || options.generates;
  const noted = isOwn ? known : await setFitNotes(folderFiles(folder), base.settings);
  const trained = { ...base, stored: adapter?.stored, notes: noted };
  const { notes, model: described } = openedTask(trained, askedBy(options), adapter ? folder : path);
  const model = openWeights(baseFolder, described);
  try {
    const opened = { model, base, baseFolder, folder, notes, adapter, ...tuneModel(model, adapter, folder) };
    const { onNotice = (message) => process.emitWarning(message) } = options;
    const trainedOn = adapter && known?.base_digest;
    if (trainedOn !== undefined) {
      const notice = otherWeights(trainedOn, weightFiles(baseFolder).map(digestOf), { folder, baseFolder });
      if (notice) onNotice(notice);
    }
    return opened;
  } catch (error) {
    model.close();
    throw error;
  }
}

/** The folder of the model for which an adapter was made. */
async function findBase(
  { folder, runModel }: Located,
  { stored }: KnownAdapter,
  { model, onProgress }: OpenTunedOptions,
): Promise<string> {
  if (model !== undefined) return resolveModel(model, { onProgress });
  return resolveBase(runModel ?? stored.baseModel, folder, onProgress);
}
