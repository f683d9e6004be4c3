import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder } from './make-folder.ts';
import { inUse, removeStale, temporaryName } from './temporary-name.ts';

/**
 * Calls `work` with the path of a folder that no other writer uses, and removes the folder afterwards. `work` creates
 * it. Files of killed writers in the parent are removed first.
 *
 * @param parent created if missing
 */
export async function inScratchFolder<T>(
  parent: string,
  name: string,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  makeFolder(parent);
  removeStale(parent);
  const folder = resolve(temporaryName(join(parent, name)));
  inUse.add(folder);
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    inUse.delete(folder);
  }
}
