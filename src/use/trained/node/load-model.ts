import { localData } from '../../../input/data/node/text-files.ts';
import { cacheFolder, disk } from '../../../input/formats/node/folder-files.ts';
import { hub } from '../../../input/hub/node/resolve-model.ts';
import { decodeImage } from '../../../input/media/images/node/decode-image.ts';
import { decodeSound } from '../../../input/media/sounds/node/decode-sound.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import { ggufFolder } from '../gguf-base.ts';
import { ModelFolders } from '../model-folders.ts';

/** The models that this machine can open. */
export const models = new ModelFolders({
  disk,
  hub,
  data: localData,
  decoders: { image: decodeImage, audio: decodeSound },
  engine: nodeEngine,
  cacheFolder,
  warn: (message) => process.emitWarning(message),
});

hub.openFile = (path) =>
  path.endsWith('.gguf') && disk.stat(path)?.kind === 'file' ? ggufFolder(models.machine, path) : undefined;

export const describeFolder = models.describe.bind(models);
export const readFolder = models.read.bind(models);
export const openModel = models.openModel.bind(models);
export const openWeights = models.openWeights.bind(models);
