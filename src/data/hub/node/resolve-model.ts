import { existsSync, realpathSync, statSync } from 'node:fs';
import { missingFile } from '../../../formats/node/missing-file.ts';
import { nearest } from '../../../support/nearest.ts';
import { UserError } from '../../../support/user-error.ts';
import { EMBEDDED_MODEL } from '../embedded-model.ts';
import { explainHubError } from '../explain-hub-error.ts';
import { type ModelId, parseModelId } from '../model-id.ts';
import { cachedModels, findSnapshot, hubCacheFolder } from './cache.ts';
import { type DownloadProgress, downloadModel } from './download.ts';
import { embeddedFolder } from './embedded-folder.ts';

export interface ResolveOptions {
  /** Default: the cache shared with Python (HF_HUB_CACHE, HF_HOME). */
  cacheDir?: string;
  /** Never use the network. Default: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE. */
  offline?: boolean;
  /** Default: HF_ENDPOINT, or https://huggingface.co. */
  endpoint?: string;
  /** Branch, tag or commit, where the id does not say (`owner/name@revision`). Default: main. */
  revision?: string;
  onProgress?: (progress: DownloadProgress) => void;
  /** Default: HF_TOKEN. */
  token?: string;
}

/**
 * The folder of a model given as a folder, as the embedded one, or as a Hub id (`owner/name`, `name`, either with
 * `@revision`). A model that is not in the cache is downloaded: configuration, tokenizer and safetensors weights, nothing else.
 *
 * Throws a UserError that says what to do when it is neither, not reachable, or not allowed.
 */
export async function resolveModel(model: string, options: ResolveOptions = {}): Promise<string> {
  if (existsSync(model)) return existingFolder(model);
  if (model === EMBEDDED_MODEL) return realpathSync(embeddedFolder());
  const id = parseModelId(model, options.revision);
  if (!id) throw missingFile(model, 'a model folder or a Hub id like owner/name');

  const cacheDir = options.cacheDir ?? hubCacheFolder();
  const offline = options.offline ?? isSet(process.env.HF_HUB_OFFLINE || process.env.TRANSFORMERS_OFFLINE);
  const cached = findSnapshot(cacheDir, id);
  if (cached && (cached.tokenizer || offline)) return realpathSync(cached.folder);
  if (offline) throw notCached(id, cacheDir);

  const endpoint = (options.endpoint ?? (process.env.HF_ENDPOINT || 'https://huggingface.co')).replace(
    /\/+$/,
    '',
  );
  const token = checkToken(options.token ?? process.env.HF_TOKEN);
  try {
    const folder = await downloadModel(id, { cacheDir, endpoint, token, onProgress: options.onProgress });
    return realpathSync(folder);
  } catch (error) {
    throw explainHubError(error, id, endpoint, cacheDir);
  }
}

function existingFolder(path: string): string {
  if (statSync(path).isDirectory()) return realpathSync(path);
  throw new UserError({
    where: path,
    expected: 'a model folder',
    got: 'a file',
    hint: 'Give the folder it lies in.',
  });
}

function notCached({ name, revision }: ModelId, cacheDir: string): UserError {
  const near = nearest(name, cachedModels(cacheDir)).filter((known) => known !== name);
  return new UserError({
    where: `${name}@${revision}`,
    expected: `a folder, or a model in the cache ${cacheDir}`,
    got: 'neither, and the network may not be used (offline)',
    hint: `${near.length > 0 ? `Did you mean ${near.join(', ')}? ` : ''}Unset HF_HUB_OFFLINE to download it.`,
  });
}

/** As Python reads its switches. */
function isSet(value: string | undefined): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes((value ?? '').toUpperCase());
}

function checkToken(token: string | undefined): string | undefined {
  const trimmed = token?.trim();
  if (!trimmed) return undefined;
  if (trimmed.startsWith('hf_')) return trimmed;
  throw new UserError({
    where: 'HF_TOKEN',
    expected: 'an access token that starts with hf_',
    got: 'something else',
  });
}
