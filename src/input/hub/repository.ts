import type { ListFileEntry } from '@huggingface/hub';
import { UserError } from '../../support/user-error.ts';
import { type DownloadProgress, splitRange } from '../formats/byte-source.ts';
import { type FolderFiles, openFile } from '../formats/files.ts';
import { isAdapterRepository, MODULES, neededFiles, POOLING, POOLING_FILES } from './model-files.ts';
import type { ModelId } from './model-id.ts';

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

export type RepositoryType = 'model' | 'dataset';

/** The size and the hash of a file: a large file's SHA-256, or git's SHA-1. */
interface Expectation {
  size: number;
  digest: string;
}

/** A repository's folder in a cache. It contains `blobs`, `refs` and `snapshots`. */
export function repositoryIn(cache: FolderFiles, type: RepositoryType, name: string): FolderFiles {
  return cache.within(`${type}s--${name.replace('/', '--')}`);
}

/** Whether a file has the expected size and hash. Git's SHA-1 also covers a header. */
function isBlob(files: FolderFiles, name: string, { size, digest }: Expectation): boolean {
  const file = openFile(files, name, 'a file of the cache');
  try {
    if (file.size !== size) return false;
    const isLarge = digest.length === 64;
    const hash = isLarge ? files.newHash() : files.newHash('sha1').update(`blob ${size}\0`);
    for (const range of splitRange(0, size)) hash.update(file.read(...range));
    return hash.digest('hex') === digest;
  } finally {
    file.close();
  }
}

/** The empty file with which huggingface_hub notes that a commit lacks a file. */
export function missingNote(commit: string, file: string): string {
  return `.no_exist/${commit}/${file}`;
}

export function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

export interface DownloadOptions {
  /** The folder of all repositories. */
  cache: FolderFiles;
  /** Base URL of the Hub, without a trailing slash. */
  endpoint: string;
  token?: string;
  onProgress?: (progress: DownloadProgress) => void;
}

/** One commit of a repository on the Hub. */
interface Repository {
  paths: string[];
  /** The cache folder for downloaded files. */
  snapshot: string;
  /** Downloads a file unless it is in the cache. */
  fetch(path: string): Promise<void>;
  /**
   * Records in the cache to which commit the revision points, and which files the model lacks. Call it after
   * all downloads.
   */
  keep(): void;
}

/**
 * Requests a repository's file list from the Hub. Its files are cached in Python's layout: `blobs/<hash>`,
 * links to them in `snapshots/<commit>`, and `refs/<revision>`. Every file must have the size and hash that
 * the Hub lists.
 *
 * @throws the Hub client's errors, and UserError for invalid responses
 */
export async function openRepository(
  id: ModelId,
  type: RepositoryType,
  options: DownloadOptions,
): Promise<Repository> {
  // The client's own downloadFileToCacheDir prints to standard output, and neither checks hashes nor shows
  // progress.
  const hub = await import('@huggingface/hub');
  const access = { hubUrl: options.endpoint, accessToken: options.token };
  const repo = { type, name: id.name };
  const where = `${options.endpoint}/${type === 'model' ? '' : `${type}s/`}${id.name}`;
  const asked = { ...access, ...id, additionalFields: ['sha' as const] };
  const { sha } = await (type === 'model' ? hub.modelInfo(asked) : hub.datasetInfo(asked));
  if (!isCommit(sha))
    throw new UserError({
      where,
      fault: `sent ${JSON.stringify(sha)} instead of a commit hash`,
      code: 'network',
    });

  const entries = new Map<string, ListFileEntry>();
  const folders = new Set<string>();
  const list = async (path?: string) => {
    const listed = { ...access, repo, revision: sha, recursive: type === 'dataset', ...(path && { path }) };
    for await (const entry of hub.listFiles(listed)) {
      if (entry.type === 'file') entries.set(checkPath(entry.path, where), entry);
      else folders.add(entry.path);
    }
  };
  await list();
  if (type === 'model' && entries.has(MODULES) && folders.has(POOLING)) await list(POOLING);
  const files = repositoryIn(options.cache, type, id.name);
  const snapshot = `snapshots/${sha}`;
  return {
    paths: [...entries.keys()],
    snapshot: files.path(snapshot),
    async fetch(path) {
      const link = `${snapshot}/${path}`;
      if (files.has(link)) return;
      const expected = expectation(entries.get(path)!, where);
      const blob = `blobs/${expected.digest}`;
      if (!files.has(blob) || !isBlob(files, blob, expected)) {
        const content = await hub.downloadFile({ ...access, repo, path, revision: sha });
        if (!content) throw new UserError({ where, fault: `has no file ${path}`, code: 'not_found' });
        const onReceived = (received: number) =>
          options.onProgress?.({ file: path, received, total: expected.size });
        await saveBlob(content, files, blob, { ...expected, where: `${where}: ${path}`, onReceived });
      }
      files.link(link, blob);
    },
    keep() {
      if (type === 'model')
        for (const file of POOLING_FILES.filter((file) => !entries.has(file)))
          files.write(missingNote(sha, file), '');
      if (id.revision !== sha) files.write(`refs/${id.revision}`, sha);
    },
  };
}

/**
 * Downloads the files that training needs into the cache. `refs/<revision>` is written last. Returns the
 * snapshot's folder.
 *
 * @throws UserError for a repository without a model, and otherwise the Hub client's errors
 */
export async function downloadModel(id: ModelId, options: DownloadOptions): Promise<string> {
  const repository = await openRepository(id, 'model', options);
  for (const path of requiredFiles(repository.paths, `${options.endpoint}/${id.name}`))
    await repository.fetch(path);
  repository.keep();
  return repository.snapshot;
}

/** Rejects paths that lead out of the snapshot's folder. */
function checkPath(path: string, where: string): string {
  if (!path.split(/[\\/]/).some((part) => part === '..' || part === '')) return path;
  throw new UserError({
    where,
    fault: `lists the file ${JSON.stringify(path)}, which is outside the repository`,
    code: 'network',
  });
}

function requiredFiles(present: string[], where: string): string[] {
  const files = neededFiles(present);
  if (files && (isAdapterRepository(present) || files.includes('config.json'))) return files;
  const weights = isAdapterRepository(present)
    ? 'tensors of the adapter (adapter_model.safetensors or adapter_model.bin)'
    : 'weights (model.safetensors or pytorch_model.bin)';
  throw new UserError({
    where,
    fault: `has no ${files ? 'config.json' : weights}, only ${present.slice(0, 10).join(', ') || 'an empty repository'}`,
    hint: files
      ? 'Check that this is a transformers model.'
      : 'Convert them with transformers (save_pretrained) and use that folder.',
    code: 'not_found',
  });
}

/**
 * The expected size and hash of a file. The hash of a large file is a SHA-256 of its content, that of other
 * files git's SHA-1.
 */
function expectation({ path, size, oid, lfs }: ListFileEntry, where: string): Expectation {
  const digest = lfs?.oid ?? oid ?? '';
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(digest)) {
    const fault = `sent ${JSON.stringify(digest)} instead of a hash of ${path}`;
    throw new UserError({ where, fault, hint: 'Try again later.', code: 'network' });
  }
  return { size: lfs?.size ?? size, digest };
}

/**
 * Streams a download to a temporary file, because other processes may download the same blob. The file is
 * renamed to the blob only if it is complete and correct on disk.
 */
async function saveBlob(
  content: Blob,
  files: FolderFiles,
  name: string,
  { where, onReceived, size, digest }: Expectation & { where: string; onReceived(bytes: number): void },
): Promise<void> {
  const file = files.newFile(name);
  try {
    let received = 0;
    for await (const chunk of content.stream() as unknown as AsyncIterable<Uint8Array>) {
      received += chunk.length;
      if (received > size) break;
      file.write(chunk);
      onReceived(received);
    }
    if (received === size && file.publish((written) => isBlob(files, written, { size, digest }))) return;
    const got = received > size ? 'more were' : received === 1 ? 'only 1 was' : `only ${received} were`;
    const fault =
      received === size
        ? `does not have the hash ${digest}`
        : `has ${size} bytes on the Hub, but ${got} received`;
    throw new UserError({ where, fault, hint: 'Try again.', code: 'network' });
  } finally {
    file.discard();
  }
}
