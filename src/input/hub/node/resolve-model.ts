import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nearest } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import { missingFile } from '../../formats/node/file-source.ts';
import { EMBEDDED_FILES } from '../embedded-files.ts';
import { explainHubError } from '../explain-hub-error.ts';
import { EMBEDDED_MODEL, type ModelId, parseModelId } from '../model-id.ts';
import { downloadModel, type ResolveOptions } from '../repository.ts';
import { cachedModels, findSnapshot, hubAccess, repositoriesIn } from './cache.ts';

/** @throws UserError if the package lacks the embedded model */
export function embeddedFolder(files: readonly URL[] = [...EMBEDDED_FILES.values()]): string {
  const folder = dirname(fileURLToPath(files[0]!));
  if (files.every((file) => existsSync(file))) return folder;
  throw new UserError({
    key: 'model',
    fault: `is not set, and the built-in model is missing from ${folder}`,
    hint: 'Set model to a folder or a model id on the Hub.',
    code: 'not_found',
  });
}

/**
 * The folder of a model. `model` is a folder, the embedded model, or a Hub id (`owner/name` or `name`,
 * optionally with `@revision`). If the cache lacks the model, its configuration, the files for its inputs and its
 * weights are downloaded.
 *
 * @throws UserError with advice if the model does not exist, is not reachable, or access is denied
 */
export async function resolveModel(model: string, options: ResolveOptions = {}): Promise<string> {
  if (existsSync(model)) return existingFolder(model);
  if (model === EMBEDDED_MODEL) return realpathSync(embeddedFolder());
  const id = parseModelId(model, options.revision);
  if (!id) throw missingFile(model, 'a model folder or a Hub id such as owner/name');

  const access = hubAccess(options);
  const { cacheDir, endpoint, offline } = access;
  const cached = findSnapshot(cacheDir, id);
  const isWhole = cached?.inputs && (cached.pooling || !options.pools);
  if (cached && (isWhole || offline)) return realpathSync(cached.folder);
  if (offline) throw notCached(id, cacheDir);

  const { token } = access;
  try {
    const files = repositoriesIn(cacheDir);
    const folder = await downloadModel(id, { files, endpoint, token, onProgress: options.onProgress });
    return realpathSync(folder);
  } catch (error) {
    if (cached?.inputs) return realpathSync(cached.folder);
    throw explainHubError(error, id, endpoint, cacheDir);
  }
}

function existingFolder(path: string): string {
  if (statSync(path).isDirectory()) return realpathSync(path);
  throw new UserError({
    where: path,
    fault: 'is a file',
    hint: 'Pass the folder that contains it.',
    code: 'invalid_argument',
  });
}

function notCached({ name, revision }: ModelId, cacheDir: string): UserError {
  const near = nearest(name, cachedModels(cacheDir)).filter((known) => known !== name);
  return new UserError({
    where: `${name}@${revision}`,
    fault: `is neither a folder nor in the cache ${cacheDir}, and downloads are off (offline)`,
    hint: `${near.length > 0 ? `Did you mean ${near.join(', ')}? ` : ''}Unset HF_HUB_OFFLINE to download it.`,
    code: 'network',
  });
}
