import { adapterConfigFile, readAdapter } from '../../../input/formats/adapters/node/adapter-folder.ts';
import type { DownloadProgress } from '../../../input/formats/byte-source.ts';
import { weightFiles } from '../../../input/formats/node/checkpoint.ts';
import { contentDigest } from '../../../input/formats/node/content-digest.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { resolveModel } from '../../../input/hub/node/resolve-model.ts';
import { type OpenModelOptions, openTunedModel } from '../open-model.ts';
import type { OpenedTuned } from '../trained-parts.ts';
import { type KnownAdapter, knownAdapter } from '../tune-model.ts';
import { openWeights, readFolder } from './load-model.ts';
import { type Located, locateTrained, resolveBase } from './locate-trained.ts';

export interface OpenTunedOptions extends OpenModelOptions {
  /** The base model, if it is not where the adapter says. */
  model?: string | undefined;
  onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Called with warnings. By default, they are warnings of the process. */
  onNotice?: ((message: string) => void) | undefined;
}

/**
 * Opens the folder of a run, an adapter (of any method here, of PEFT or AdapterHub) or a model, or any of them on the
 * Hub by its id. The weights of a model without an adapter never pass through JavaScript.
 *
 * @throws UserError for anything missing, damaged or incompatible
 */
export async function openTuned(path: string, options: OpenTunedOptions = {}): Promise<OpenedTuned> {
  const { onProgress, onNotice = (message) => process.emitWarning(message) } = options;
  const located = await locateTrained(path, { onProgress, pools: options.embeds });
  const { folder } = located;
  const adapter =
    located.kind === 'adapter'
      ? knownAdapter(await readAdapter(folder), adapterConfigFile(folder))
      : undefined;
  const baseFolder = adapter ? await findBase(located, adapter, options) : folder;
  const opened = await openTunedModel(
    {
      files: folderFiles(folder),
      adapter,
      where: adapter ? folder : path,
      readBase: (_, changes) => readFolder(baseFolder, changes),
      openWeights: async (_, model, isHashed) => ({
        digests: isHashed ? weightFiles(baseFolder).map((path) => contentDigest(path)) : [],
        model: openWeights(baseFolder, model),
      }),
      onNotice,
    },
    options,
  );
  return { ...opened, baseFolder, folder, adapter };
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
