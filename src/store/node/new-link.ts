import { copyFileSync, renameSync, symlinkSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { makeFolder } from './make-folder.ts';
import { temporaryName } from './temporary-name.ts';

/**
 * Links a path to a file, atomically, because other processes may read the link. The link is relative, so that the
 * folder of both can be moved. If the system does not allow links, the file is copied.
 */
export function newLink(path: string, file: string): void {
  makeFolder(dirname(path));
  const temporary = temporaryName(path);
  try {
    symlinkSync(relative(dirname(path), file), temporary);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    copyFileSync(file, temporary);
  }
  renameSync(temporary, path);
}
