import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../../../support/user-error.ts';
import type { DownloadProgress } from '../../formats/byte-source.ts';
import { readJson } from '../../formats/node/read-text.ts';
import { hasInputFiles, indexOf, isAdapterRepository, isUsable, POOLING_FILES } from '../model-files.ts';
import type { ModelId } from '../model-id.ts';

/** The cache folder shared with Python's huggingface_hub, found by the same rules. */
export function hubCacheFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const explicit = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE;
  if (explicit) return explicit;
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
  return join(home, 'hub');
}

export type RepositoryType = 'model' | 'dataset';

/** A repository's folder in the cache. It contains `blobs`, `refs` and `snapshots`. */
export function repositoryFolder(cacheDir: string, type: RepositoryType, name: string): string {
  return join(cacheDir, `${type}s--${name.replace('/', '--')}`);
}

/** A revision's folder in the cache, complete or not. Undefined if the revision is not in the cache. */
export function snapshotFolder(
  cacheDir: string,
  type: RepositoryType,
  { name, revision }: ModelId,
): string | undefined {
  const repository = repositoryFolder(cacheDir, type, name);
  const ref = join(repository, 'refs', revision);
  const commit = statSync(ref, { throwIfNoEntry: false })?.isFile()
    ? readFileSync(ref, 'utf8').trim()
    : revision;
  // Only a full commit hash is a valid snapshot name.
  return isCommit(commit) ? join(repository, 'snapshots', commit) : undefined;
}

export interface CachedSnapshot {
  folder: string;
  /** Whether the snapshot has what inputs need. It may have weights alone. */
  inputs: boolean;
  /** Whether the snapshot says how to pool: see {@link knowsPooling}. */
  pooling: boolean;
}

/** A model's snapshot in the cache. Null if it lacks the configuration or some weights. */
export function findSnapshot(cacheDir: string, id: ModelId): CachedSnapshot | null {
  const folder = snapshotFolder(cacheDir, 'model', id);
  if (folder === undefined || !existsSync(folder)) return null;
  // A link to a missing blob counts as missing.
  const present = readdirSync(folder).filter((file) => existsSync(join(folder, file)));
  if (!isUsable(present, shardsOf(folder, indexOf(present)))) return null;
  return {
    folder,
    inputs: hasInputFiles(present),
    pooling: isAdapterRepository(present) || knowsPooling(folder),
  };
}

/**
 * Whether a model's folder has the files that define its pooling, or records that the repository lacks them.
 * Snapshots may have been downloaded without these files.
 */
export function knowsPooling(folder: string): boolean {
  const [snapshots, commit] = [dirname(folder), basename(folder)];
  if (basename(snapshots) !== 'snapshots' || !isCommit(commit)) return true;
  const missing = missingFolder(dirname(snapshots), commit);
  return POOLING_FILES.every((file) => [folder, missing].some((place) => existsSync(join(place, file))));
}

/**
 * The folder in which huggingface_hub notes missing files: an empty file with the name of each file that the repository
 * lacks.
 */
export function missingFolder(repository: string, commit: string): string {
  return join(repository, '.no_exist', commit);
}

export function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** Names of the models in the cache, including incomplete ones. */
export function cachedModels(cacheDir: string): string[] {
  if (!existsSync(cacheDir)) return [];
  return readdirSync(cacheDir)
    .filter((entry) => entry.startsWith('models--'))
    .map((entry) => entry.slice('models--'.length).replace('--', '/'));
}

/** The file names in an index. They are not checked, because they are only compared with existing files. */
function shardsOf(folder: string, index: string | undefined): string[] {
  if (index === undefined) return [];
  try {
    return Object.values(Object(readJson(join(folder, index), 'an index of shards')).weight_map);
  } catch {
    return [''];
  }
}

export interface ResolveOptions {
  /** Default: the cache shared with Python (HF_HUB_CACHE, HF_HOME). */
  cacheDir?: string;
  /** Whether to avoid the network. Default: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE. */
  offline?: boolean;
  /** Default: HF_ENDPOINT, or https://huggingface.co. */
  endpoint?: string;
  /** Branch, tag or commit, if the id does not name one (`owner/name@revision`). Default: main. */
  revision?: string;
  onProgress?: (progress: DownloadProgress) => void;
  /** Whether the caller needs the model's pooling. If so, missing pooling files are downloaded. */
  pools?: boolean;
  /** Default: HF_TOKEN. */
  token?: string;
}

/** How to reach the Hub: options override the environment variables of Python's huggingface_hub. */
export function hubAccess(options: ResolveOptions) {
  const { HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE, HF_ENDPOINT, HF_TOKEN } = process.env;
  const endpoint = options.endpoint ?? (HF_ENDPOINT || 'https://huggingface.co');
  return {
    cacheDir: options.cacheDir ?? hubCacheFolder(),
    offline: options.offline ?? isSet(HF_HUB_OFFLINE || TRANSFORMERS_OFFLINE),
    endpoint: endpoint.replace(/\/+$/, ''),
    get token() {
      return checkToken(options.token ?? HF_TOKEN);
    },
  };
}

/** Parses a boolean environment variable like Python's huggingface_hub. */
function isSet(value: string | undefined): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes((value ?? '').toUpperCase());
}

function checkToken(token: string | undefined): string | undefined {
  const trimmed = token?.trim();
  if (!trimmed) return undefined;
  if (trimmed.startsWith('hf_')) return trimmed;
  throw new UserError({
    where: 'HF_TOKEN',
    fault: 'is not an access token: those begin with hf_',
    code: 'access_denied',
  });
}
