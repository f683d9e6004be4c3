import { dirname } from 'node:path';
import { openCheckpoint } from '../../../input/formats/node/checkpoint.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { hub } from '../../../input/hub/node/resolve-model.ts';
import { decodePicture } from '../../../input/pictures/node/decode-picture.ts';
import { PLAIN_SENTENCE } from '../../../models/sentence-settings.ts';
import type { TaskModel } from '../../../program/objectives/task-model.ts';
import type { LoadedModel } from '../../../program/weight-memory.ts';
import { UserError } from '../../../support/user-error.ts';
import { type Build, bindModel } from '../bind-model.ts';
import type { ModelConfig } from '../model-config.ts';
import {
  buildModel,
  type Described,
  type DescribedModel,
  describeModel,
  readModel,
  withChanges,
} from '../read-model.ts';
import { SENTENCE_FILES } from '../sentence-files.ts';

/** Describes the model in a folder. If a Hub snapshot may lack sentence-transformers' files, its pooling is unknown. */
export async function describeFolder(folder: string, changes?: ModelConfig): Promise<Described> {
  const described = await describeModel(folderFiles(folder), changes);
  if (hub.knowsPooling(folder) || described.family.config.picture) return described;
  const unsupported = `the cached snapshot may lack ${SENTENCE_FILES.modules}; it is completed when the Hub can be reached`;
  return withChanges({ ...described, settings: { ...PLAIN_SENTENCE, unsupported } }, changes);
}

/** Reads everything in a folder except weights. */
export async function readFolder(folder: string, changes?: ModelConfig): Promise<DescribedModel> {
  return readModel(await describeFolder(folder, changes), decodePicture);
}

/** Opens a model folder's checkpoint and checks every tensor against the model. No weight is read yet. */
export async function openModel<Model extends TaskModel>(
  folder: string,
  build: Build<Model>,
  changes?: ModelConfig,
): Promise<LoadedModel<Model>> {
  return openWeights(folder, buildModel(build, await describeFolder(folder, changes)));
}

/** Like {@link openModel}, for a model that is described already. */
export function openWeights<Model extends TaskModel>(folder: string, model: Model): LoadedModel<Model> {
  const checkpoint = openCheckpoint(folder);
  try {
    return bindModel(model, checkpoint, folder, (files) => oneFolder(files, folder));
  } catch (error) {
    checkpoint.close();
    throw error;
  }
}

/**
 * The folder of all weight files.
 *
 * @throws UserError if links lead to several folders, because the engine maps files from one folder only
 */
function oneFolder(files: ReadonlySet<string>, where: string): string {
  const folders = new Set([...files].map(dirname));
  if (folders.size === 1) return [...folders][0]!;
  throw new UserError({
    where,
    fault: `has shards that link to ${folders.size} folders`,
    hint: 'Copy them into one.',
  });
}
