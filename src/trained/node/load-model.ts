import { dirname, join } from 'node:path';
import { openCheckpoint } from '../../formats/node/checkpoint.ts';
import { readJson } from '../../formats/node/read-text.ts';
import type { TaskModel } from '../../objectives/task-model.ts';
import type { LoadedModel } from '../../program/model-weights.ts';
import { UserError } from '../../support/user-error.ts';
import { type Build, bindModel, type Family, familyOf, withSentence } from '../bind-model.ts';
import { type ModelConfig, withModelConfig } from '../model-config.ts';
import { readSentence } from './read-sentence.ts';

/** Describes a model from config.json alone, which determines every parameter and module. */
export function describeAs<Model>(folder: string, build: Build<Model>, changes?: ModelConfig): Model {
  const { definition, config } = readFamily(folder, changes);
  return build(definition, config);
}

/** The family of a model folder, and its parsed config.json with the changed fields. */
export function readFamily(folder: string, changes?: ModelConfig): Family {
  const where = configFile(folder);
  const json = withModelConfig(readModelConfig(folder), changes, where);
  return withSentence(familyOf(json, where), readSentence(folder));
}

/** Opens a model folder's checkpoint and checks every tensor against the model. No weight is read yet. */
export function openModel<Model extends TaskModel>(
  folder: string,
  build: Build<Model>,
  changes?: ModelConfig,
): LoadedModel<Model> {
  const model = describeAs(folder, build, changes);
  const checkpoint = openCheckpoint(folder);
  try {
    return bindModel(model, checkpoint, folder, (files) => oneFolder(files, folder));
  } catch (error) {
    checkpoint.close();
    throw error;
  }
}

/** The content of a folder's config.json. */
export function readModelConfig(folder: string): Record<string, unknown> {
  return readJson(configFile(folder), 'the config.json of a Hugging Face model') as Record<string, unknown>;
}

function configFile(folder: string): string {
  return join(folder, 'config.json');
}

/**
 * The folder of all weight files.
 *
 * @throws UserError if links lead to several folders, because the engine maps files from one folder only
 */
function oneFolder(files: ReadonlySet<string>, where: string): string {
  const folders = new Set([...files].map(dirname));
  if (folders.size === 1) return [...folders][0];
  throw new UserError({
    where,
    fault: `has shards that link to ${folders.size} folders`,
    hint: 'Copy them into one.',
  });
}
