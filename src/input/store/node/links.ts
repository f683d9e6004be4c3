import { copyFileSync, linkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { makeFolder, removeStale, temporaryName } from './temporary-name.ts';

/** Error codes of file systems without hard links. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/**
 * Gives a file a second name, unless another file has that name.
 *
 * @returns whether the name was free; undefined if the file system has no hard links
 */
export function linkNew(file: string, name: string): boolean | undefined {
  try {
    linkSync(file, name);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (NO_LINKS.includes(code as string)) return undefined;
    throw error;
  }
}

/**
 * Links a path to a file, atomically, because other processes may read the link. The link is relative, so that the
 * folder of both can be moved. If the system does not allow links, the file is copied. Removes temporary links that killed
 * writers left in the folder.
 */
export function newLink(path: string, file: string): void {
  const folder = dirname(path);
  makeFolder(folder);
  removeStale(folder);
  const temporary = temporaryName(path);
  try {
    symlinkSync(relative(folder, file), temporary);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    copyFileSync(file, temporary);
  }
  renameSync(temporary, path);
}

/**
 * Removes a damaged or stale file. If another writer has replaced the file in the meantime, the new file is
 * restored.
 *
 * @param isIt whether a file, now under a temporary name, is the one to remove
 */
export function takeAway(path: string, isIt: (aside: string) => boolean): void {
  const aside = temporaryName(path);
  try {
    renameSync(path, aside);
    if (!isIt(aside)) linkNew(aside, path);
  } catch (error) {
    // Another process may have removed the file.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}
