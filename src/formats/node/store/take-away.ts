import { renameSync, rmSync } from 'node:fs';
import { linkNew } from './link-new.ts';
import { temporaryName } from './temporary-name.ts';

/**
 * Removes a file that was found damaged or stale. If another writer has replaced it by a good file in the meantime,
 * that file is restored.
 *
 * @param isIt whether a file, which has a temporary name at that moment, is the one that was found
 */
export function takeAway(path: string, isIt: (aside: string) => boolean): void {
  const aside = temporaryName(path);
  try {
    renameSync(path, aside);
    if (!isIt(aside)) linkNew(aside, path);
  } catch (error) {
    // Another process has removed it.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}
