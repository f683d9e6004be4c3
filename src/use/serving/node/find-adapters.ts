import { existsSync, realpathSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import { ADAPTER_CONFIG, ADAPTER_FILES } from '../../../input/formats/adapters/adapter-files.ts';
import { fileIdentity } from '../../../support/node/files.ts';
import { runFiles } from '../../../training/run/node/run-folder.ts';
import { NOTES_FILE } from '../../trained/notes.ts';
import type { AdapterPlaces } from '../adapter-folders.ts';
import type { FoundAdapter } from '../served-adapter.ts';

/** Maximum number of entries of a folder to scan. Subfolders of its entries are not scanned. */
const MAX_FOLDERS = 100_000;

/**
 * Finds the adapters of a folder: the folder itself as an adapter or run, or its subfolders.
 *
 * @returns in the order of their names; empty for a missing folder
 */
export async function findAdapters(root: string): Promise<FoundAdapter[]> {
  const rootAdapter = adapterIn(root);
  if (rootAdapter) return [rootAdapter];
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const adapters: FoundAdapter[] = [];
  for (const entry of entries.slice(0, MAX_FOLDERS)) {
    const adapter = entry.isFile() ? undefined : adapterIn(join(root, entry.name));
    if (adapter) adapters.push(adapter);
  }
  return adapters.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The adapter in a folder, or in the folder of a run. */
export function adapterIn(folder: string): FoundAdapter | undefined {
  const name = basename(resolve(folder));
  const state = readState(folder);
  if (state !== undefined) return { name, folder, state };
  const { adapter } = runFiles(folder);
  const inRun = readState(adapter);
  return inRun === undefined ? undefined : { name, folder: adapter, run: folder, state: inRun };
}

/** The state of an adapter's files. Undefined if the folder has no adapter config. */
export function readState(folder: string): string | undefined {
  const states = [...new Set([ADAPTER_CONFIG, ...ADAPTER_FILES, NOTES_FILE])].map((name) => {
    const identity = fileIdentity(join(folder, name));
    return identity && `${name} ${identity}`;
  });
  return states[0] && states.join('\n');
}

/** The size of an adapter's files with tensors. */
export function adapterBytes(folder: string): number {
  const sizes = ADAPTER_FILES.map(
    (name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0,
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The adapters in folders. */
export function adapterPlaces(folders: readonly string[]): AdapterPlaces {
  const roots = folders.map((root) => realpathSync(root));
  return {
    adapterIn,
    async find() {
      const all: FoundAdapter[] = [];
      for (const root of roots) all.push(...(await findAdapters(root)));
      return all;
    },
    within(path) {
      const candidates = [path, ...roots.map((root) => join(root, path))].filter((one) => existsSync(one));
      const real = candidates.map((one) => realpathSync(one));
      return real.find((one) => roots.some((root) => one === root || one.startsWith(root + sep)));
    },
  };
}
