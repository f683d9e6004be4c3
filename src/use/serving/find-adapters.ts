import { ADAPTER_CONFIG, ADAPTER_FILES } from '../../input/formats/adapters/adapter-files.ts';
import { type FolderFiles, isBelow, listSafely } from '../../input/formats/files.ts';
import { lastPart } from '../../support/text.ts';
import { RUN_FILES } from '../../training/run/run-files.ts';
import { NOTES_FILE } from '../trained/notes.ts';

/** An adapter found in a folder. */
export interface FoundAdapter {
  /** The name of its folder, or of its run's folder. */
  name: string;
  /** The folder with the adapter's files. */
  folder: string;
  /** The folder of its run, if any. */
  run?: string;
  /** Identifies the state of its files. Any change to them changes it. */
  state: string;
}

/** Maximum number of entries of a folder to scan. Subfolders of its entries are not scanned. */
const MAX_FOLDERS = 100_000;

/**
 * Finds the adapters of a folder: the folder itself as an adapter or run, or its subfolders.
 *
 * @returns in the order of their names; empty for a missing folder
 */
export function findAdapters(disk: FolderFiles, root: string): FoundAdapter[] {
  const rootAdapter = adapterIn(disk, root);
  if (rootAdapter) return [rootAdapter];
  const folder = disk.within(root);
  const found = listSafely(folder)
    .slice(0, MAX_FOLDERS)
    .map((name) => adapterIn(disk, folder.path(name)));
  return found.filter((adapter) => adapter !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The adapter in a folder, or in the folder of a run. */
export function adapterIn(disk: FolderFiles, path: string): FoundAdapter | undefined {
  const folder = disk.within(path);
  const state = readState(folder);
  if (state !== undefined) return { name: readName(folder), folder: path, state };
  const adapter = folder.within(RUN_FILES.adapter);
  const inRun = readState(adapter);
  if (inRun === undefined) return undefined;
  return { name: readName(folder), folder: adapter.name, run: path, state: inRun };
}

function readName(folder: FolderFiles): string {
  const name = lastPart(folder.name);
  return name === '.' || name === '..' ? lastPart(folder.realPath('')) : name;
}

/** The state of an adapter's files. Undefined if the folder has no adapter config. */
export function readState(folder: FolderFiles): string | undefined {
  // Most names in a folder of adapters may be plain files, and asking for their state throws an error.
  const config = folder.has(ADAPTER_CONFIG) ? describeFile(folder, ADAPTER_CONFIG) : undefined;
  if (config === undefined) return undefined;
  const others = new Set([...ADAPTER_FILES, NOTES_FILE]);
  others.delete(ADAPTER_CONFIG);
  return [config, ...[...others].map((name) => describeFile(folder, name))].join('\n');
}

function describeFile(folder: FolderFiles, name: string): string | undefined {
  try {
    const state = folder.stat(name);
    return state && `${name} ${state.identity},${state.changed}`;
  } catch {
    // The system denies access, or the folder is a file.
    return undefined;
  }
}

/** The size of an adapter's files with tensors. */
export function adapterBytes(folder: FolderFiles): number {
  return ADAPTER_FILES.reduce((sum, name) => sum + (folder.stat(name)?.size ?? 0), 0);
}

/** Folders of adapters. */
export class AdapterPlaces {
  readonly #disk: FolderFiles;
  /** Their real paths. */
  readonly #roots: readonly string[];

  constructor(disk: FolderFiles, folders: readonly string[]) {
    this.#disk = disk;
    this.#roots = folders.map(disk.realPath);
  }

  /** Finds the adapters that are in the folders now. */
  find(): FoundAdapter[] {
    return this.#roots.flatMap((root) => findAdapters(this.#disk, root));
  }

  /** The adapter in a folder, or in the folder of a run. */
  adapterIn(folder: string): FoundAdapter | undefined {
    return adapterIn(this.#disk, folder);
  }

  /** The real path of an existing folder in one of the folders. `path` is absolute, or relative to one of them. */
  within(path: string): string | undefined {
    const candidates = [path, ...this.#roots.map((root) => this.#disk.path(`${root}/${path}`))];
    const real = candidates.filter(this.#disk.has).map(this.#disk.realPath);
    const isInside = (one: string) => this.#roots.some((root) => one === root || isBelow(one, root));
    return real.find(isInside);
  }
}
