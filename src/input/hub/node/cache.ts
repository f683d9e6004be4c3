import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { splitRange } from '../../formats/byte-source.ts';
import { FileSource } from '../../formats/node/file-source.ts';
import { folderFiles } from '../../formats/node/folder-files.ts';
import { readJson } from '../../formats/node/read-text.ts';
import { newLink } from '../../store/node/links.ts';
import { NewFile } from '../../store/node/new-file.ts';
import { findIndex, hasInputFiles, isAdapterRepository, isUsable, POOLING_FILES } from '../model-files.ts';
import type { ModelId } from '../model-id.ts';
import {
  type DownloadOptions,
  type Expectation,
  type HubVariables,
  isCommit,
  missingNote,
  type RepositoryType,
  type ResolveOptions,
  readAccess,
} from '../repository.ts';

/** The cache folder shared with Python's huggingface_hub, found by the same rules. */
export function hubCacheFolder(env: HubVariables = process.env): string {
  const explicit = env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE;
  if (explicit) return explicit;
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
  return join(home, 'hub');
}

/** How to reach the Hub from this process. */
export function hubAccess(options: ResolveOptions) {
  return readAccess(options, process.env, hubCacheFolder);
}

/** How to upload from this process: with the token of the environment, or of Hugging Face's standard login file. */
export function uploadAccess(options: ResolveOptions) {
  const { endpoint, offline, token } = hubAccess(options);
  return { endpoint, offline, token: token ?? loginToken() };
}

function loginToken(): string | undefined {
  const { HF_TOKEN_PATH, HF_HOME } = process.env;
  const path = HF_TOKEN_PATH || join(HF_HOME || dirname(hubCacheFolder()), 'token');
  return existsSync(path) ? readFileSync(path, 'utf8').trim() || undefined : undefined;
}

/** A repository's folder in the cache. It contains `blobs`, `refs` and `snapshots`. */
function repositoryFolder(cacheDir: string, type: RepositoryType, name: string): string {
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
  if (!isUsable(present, listShards(folder, findIndex(present)))) return null;
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
  const missing = (file: string) => join(dirname(snapshots), missingNote(commit, file));
  return POOLING_FILES.every((file) => [join(folder, file), missing(file)].some((path) => existsSync(path)));
}

/** Names of the models in the cache, including incomplete ones. */
export function cachedModels(cacheDir: string): string[] {
  if (!existsSync(cacheDir)) return [];
  return readdirSync(cacheDir)
    .filter((entry) => entry.startsWith('models--'))
    .map((entry) => entry.slice('models--'.length).replace('--', '/'));
}

/** The file names in an index. They are not checked, because they are only compared with existing files. */
function listShards(folder: string, index: string | undefined): string[] {
  if (index === undefined) return [];
  try {
    return Object.values(Object(readJson(join(folder, index), 'an index of shards')).weight_map);
  } catch {
    return [''];
  }
}

/** The repositories in a cache. */
export function repositoriesIn(cacheDir: string): DownloadOptions['files'] {
  return (type, name) => {
    const folder = folderFiles(repositoryFolder(cacheDir, type, name));
    return {
      ...folder,
      isIntact: (path, expected) => isBlob(folder.path(path), expected),
      newFile(path, expected) {
        const file = new NewFile(folder.path(path));
        return {
          write: (bytes) => file.write(bytes),
          publish: () => file.publish((written) => isBlob(written, expected)),
          discard: () => file.discard(),
        };
      },
      link: (path, target) => newLink(folder.path(path), folder.path(target)),
    };
  };
}

/** Whether a file has the expected size and hash. Git's SHA-1 also covers a header. */
function isBlob(path: string, { size, digest }: Expectation): boolean {
  const source = FileSource.open(path, 'a file of the cache');
  try {
    if (source.size !== size) return false;
    const isLarge = digest.length === 64;
    const hash = isLarge ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
    for (const range of splitRange(0, size)) hash.update(source.read(...range));
    return hash.digest('hex') === digest;
  } finally {
    source.close();
  }
}
