import { renameSync, rmSync } from 'node:fs';
import { linkNew } from './link-new.ts';
import { temporaryName } from './temporary-name.ts';

/**
 * Removes a file that was found damaged or stale. If another writer has replaced it by a good file in the meantime,
 * that file is restored.
 *
 * @param isIt checks, under a temporary name, that a file is the one that was found
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
