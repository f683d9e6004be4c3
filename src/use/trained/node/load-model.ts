import { thisMachine } from '../../../program/node/this-machine.ts';
import { ModelFolders } from '../model-folders.ts';

/** The models that this machine can open. */
export const models = new ModelFolders(thisMachine);

export const describeFolder = models.describe.bind(models);
export const readFolder = models.read.bind(models);
export const openModel = models.openModel.bind(models);
export const openWeights = models.openWeights.bind(models);
