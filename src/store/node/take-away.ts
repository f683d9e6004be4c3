import { renameSync, rmSync } from 'node:fs';
import { linkNew } from './link-new.ts';
import { temporaryName } from './temporary-name.ts';

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
