import { renameSync, rmSync } from 'node:fs';
import { linkNew } from './link-new.ts';
import { temporaryName } from './temporary-name.ts';

/**
 * Removes a file that was found damaged or stale. Another writer may have put a good one in its place since: that one comes
 * back.
 *
 * @param isIt whether the file, which has another name for the moment, is the one that was found
 */
export function takeAway(path: string, isIt: (aside: string) => boolean): void {
  const aside = temporaryName(path);
  try {
    renameSync(path, aside);
    if (!isIt(aside)) linkNew(aside, path);
  } catch (error) {
    // Somebody else has taken it away.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}
