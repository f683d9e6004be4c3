import { copyFileSync, renameSync, symlinkSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { makeFolder } from './make-folder.ts';
import { removeStale, temporaryName } from './temporary-name.ts';

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
