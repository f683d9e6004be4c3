import { nearest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import { type FolderFiles, readText } from '../formats/files.ts';
import { explainHubError } from './explain-hub-error.ts';
import { findIndex, hasInputFiles, isAdapterRepository, isUsable, POOLING_FILES } from './model-files.ts';
import { EMBEDDED_MODEL, type ModelId, parseModelId } from './model-id.ts';
import {
  downloadModel,
  isCommit,
  missingNote,
  type RepositoryType,
  type ResolveOptions,
  repositoryIn,
} from './repository.ts';

interface CachedSnapshot {
  folder: string;
  /** Whether the snapshot has what inputs need. It may have weights alone. */
  inputs: boolean;
  /** Whether the snapshot says how to pool: see {@link Hub.knowsPooling}. */
  pooling: boolean;
}

/** The Hub as a machine reaches it, and the cache on its disk that Python's huggingface_hub shares. */
export class Hub {
  /** Returns the folder of a model that is a file, by its path; undefined for files that hold no model. */
  openFile?: (path: string) => string | undefined;

  /**
   * @param env the environment variables of the process
   * @param home returns the user's home folder
   * @param embedded returns the folder of the embedded model
   */
  constructor(
    readonly disk: FolderFiles,
    private readonly env: Readonly<Record<string, string | undefined>>,
    private readonly home: () => string,
    private readonly embedded: () => string,
  ) {}

  /** The cache folder, found by the rules of huggingface_hub. */
  get cacheFolder(): string {
    const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE } = this.env;
    return HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || this.disk.path(`${this.#ownFolder()}/hub`);
  }

  #ownFolder(): string {
    const { HF_HOME, XDG_CACHE_HOME } = this.env;
    return HF_HOME || this.disk.path(`${XDG_CACHE_HOME || `${this.home()}/.cache`}/huggingface`);
  }

  /** How to reach the Hub: options override the environment variables of huggingface_hub. */
  access(options: ResolveOptions) {
    const { HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE, HF_ENDPOINT, HF_TOKEN } = this.env;
    const endpoint = options.endpoint ?? (HF_ENDPOINT || 'https://huggingface.co');
    return {
      cacheDir: options.cacheDir ?? this.cacheFolder,
      offline: options.offline ?? isSet(HF_HUB_OFFLINE || TRANSFORMERS_OFFLINE),
      endpoint: endpoint.replace(/\/+$/, ''),
      get token() {
        return checkToken(options.token ?? HF_TOKEN);
      },
    };
  }

  /** How to upload: with the token of the environment, or of Hugging Face's standard login file. */
  uploadAccess(options: ResolveOptions) {
    const { endpoint, offline, token } = this.access(options);
    return { endpoint, offline, token: token ?? this.#loginToken() };
  }

  #loginToken(): string | undefined {
    const { HF_TOKEN_PATH, HF_HOME } = this.env;
    const path = HF_TOKEN_PATH || `${HF_HOME || this.disk.path(`${this.cacheFolder}/..`)}/token`;
    return this.disk.has(path) ? readText(this.disk, path, 'a token').trim() || undefined : undefined;
  }

  /**
   * The folder of a model. `model` is a folder, the embedded model, or a Hub id (`owner/name` or `name`,
   * optionally with `@revision`). If the cache lacks the model, its configuration, the files for its inputs and its
   * weights are downloaded.
   *
   * @throws UserError with advice if the model does not exist, is not reachable, or access is denied
   */
  async resolveModel(model: string, options: ResolveOptions = {}): Promise<string> {
    const { disk } = this;
    if (disk.has(model)) return this.#existingFolder(model);
    if (model === EMBEDDED_MODEL) return disk.realPath(this.embedded());
    const id = parseModelId(model, options.revision);
    if (!id) throw disk.missing(model, 'a model folder or a Hub id such as owner/name');

    const access = this.access(options);
    const { cacheDir, endpoint, offline } = access;
    const cached = this.findSnapshot(cacheDir, id);
    const isWhole = cached?.inputs && (cached.pooling || !options.pools);
    if (cached && (isWhole || offline)) return disk.realPath(cached.folder);
    if (offline) throw this.#notCached(id, cacheDir);

    const { token } = access;
    try {
      const cache = disk.within(cacheDir);
      const folder = await downloadModel(id, { cache, endpoint, token, onProgress: options.onProgress });
      return disk.realPath(folder);
    } catch (error) {
      if (cached?.inputs) return disk.realPath(cached.folder);
      throw explainHubError(error, id, endpoint, cacheDir);
    }
  }

  #existingFolder(path: string): string {
    if (this.disk.stat(path)?.kind === 'folder') return this.disk.realPath(path);
    const folder = this.openFile?.(path);
    if (folder !== undefined) return folder;
    throw new UserError({
      where: path,
      fault: 'is a file',
      hint: 'Pass the folder that contains it.',
      code: 'invalid_argument',
    });
  }

  #notCached({ name, revision }: ModelId, cacheDir: string): UserError {
    const near = nearest(name, this.cachedModels(cacheDir)).filter((known) => known !== name);
    return new UserError({
      where: `${name}@${revision}`,
      fault: `is neither a folder nor in the cache ${cacheDir}, and downloads are off (offline)`,
      hint: `${near.length > 0 ? `Did you mean ${near.join(', ')}? ` : ''}Unset HF_HUB_OFFLINE to download it.`,
      code: 'network',
    });
  }

  /** A revision's folder in the cache, complete or not. Undefined if the revision is not in the cache. */
  snapshot(cacheDir: string, type: RepositoryType, { name, revision }: ModelId): FolderFiles | undefined {
    const repository = repositoryIn(this.disk.within(cacheDir), type, name);
    const ref = `refs/${revision}`;
    const isRef = repository.stat(ref)?.kind === 'file';
    const commit = isRef ? readText(repository, ref, 'a reference').trim() : revision;
    // Only a full commit hash is a valid snapshot name.
    return isCommit(commit) ? repository.within(`snapshots/${commit}`) : undefined;
  }

  /** A model's snapshot in the cache. Null if it lacks the configuration or some weights. */
  findSnapshot(cacheDir: string, id: ModelId): CachedSnapshot | null {
    const snapshot = this.snapshot(cacheDir, 'model', id);
    if (!snapshot) return null;
    // A link to a missing blob counts as missing.
    const present = snapshot.list().filter(snapshot.has);
    if (!isUsable(present, listShards(snapshot, findIndex(present)))) return null;
    return {
      folder: snapshot.name,
      inputs: hasInputFiles(present),
      pooling: isAdapterRepository(present) || this.knowsPooling(snapshot.name),
    };
  }

  /**
   * Whether a model's folder has the files that define its pooling, or records that the repository lacks them.
   * Snapshots may have been downloaded without these files.
   */
  knowsPooling(folder: string): boolean {
    const [, commit = ''] = /(?:^|[\\/])snapshots[\\/]+([^\\/]+)[\\/]*$/.exec(folder) ?? [];
    if (!isCommit(commit)) return true;
    const snapshot = this.disk.within(folder);
    return POOLING_FILES.every((file) => [file, `../../${missingNote(commit, file)}`].some(snapshot.has));
  }

  /** Names of the models in the cache, including incomplete ones. */
  cachedModels(cacheDir: string): string[] {
    return this.disk
      .within(cacheDir)
      .list()
      .filter((entry) => entry.startsWith('models--'))
      .map((entry) => entry.slice('models--'.length).replace('--', '/'));
  }
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

/** The file names in an index. They are not checked, because they are only compared with existing files. */
function listShards(snapshot: FolderFiles, index: string | undefined): string[] {
  if (index === undefined) return [];
  try {
    return Object.values(JSON.parse(readText(snapshot, index, 'an index of shards')).weight_map);
  } catch {
    return [''];
  }
}
