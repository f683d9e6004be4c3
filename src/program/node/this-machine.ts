import { localData } from '../../input/data/node/text-files.ts';
import { disk } from '../../input/formats/node/folder-files.ts';
import { hub } from '../../input/hub/node/resolve-model.ts';
import { decodePicture } from '../../input/pictures/node/decode-picture.ts';
import { cacheFolder } from '../../support/node/files.ts';
import type { ModelMachine } from '../machine.ts';
import { nodeEngine } from './node-engine.ts';

/** The machine of this process. */
export const thisMachine: ModelMachine = {
  disk,
  hub,
  data: localData,
  decodePicture,
  engine: nodeEngine,
  cacheFolder,
  warn: (message) => process.emitWarning(message),
};
