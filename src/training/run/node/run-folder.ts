import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { LOCK_FILE, type LockOptions, lockFolder } from '../../../input/store/node/folder-lock.ts';
import { makeFolder } from '../../../input/store/node/make-folder.ts';
import { isTemporary, removeStale } from '../../../input/store/node/temporary-name.ts';
import { readLaunch } from '../../../program/parallel/launch.ts';
import { parentProcess } from '../../../support/node/process-status.ts';
import { UserError } from '../../../support/user-error.ts';
import { RUN_FILES } from '../run-files.ts';

/**
 * Checks, before anything is loaded, whether a run can be written to a folder. It does not create anything. A folder with
 * files is locked while these are read, because they must not change.
 *
 * @throws UserError if the folder cannot be created or written to, contains files and is not a run to `resume`, or is
 * locked by another run
 */
export function runFolderLock(folder: string, resume: boolean, options: LockOptions) {
  checkRunFolder(folder, resume);
  const seen = listContent(folder);
  let release = seen.length > 0 ? lockRun(folder, options) : undefined;
  return {
    /** Creates the folder and locks it, unless it existed. Removes the remains of killed processes. */
    take(): void {
      release ??= takeRunFolder(folder, seen, options);
      const checkpoints = join(folder, RUN_FILES.checkpoints);
      asked(folder, () => {
        makeFolder(checkpoints);
        for (const path of [folder, checkpoints]) removeStale(path);
      });
    },
    release: () => release?.(),
  };
}

function checkRunFolder(folder: string, resume: boolean): void {
  const where = `output: ${folder}`;
  const stats = readStats(folder);
  if (!stats) {
    checkWritable(nearestAbove(resolve(folder)), where);
    return;
  }
  if (!stats.isDirectory())
    throw new UserError({ where, fault: 'is a file', hint: 'Pass a folder.', code: 'file_system' });
  const entries = listContent(folder);
  if (entries.length > 0 && !resume)
    throw takenFolder(
      where,
      'is not empty',
      'Pass --resume to continue the run, or -o to choose another folder.',
    );
  // A run that was killed before its first checkpoint has only the folder `checkpoints`.
  if (!entries.includes(RUN_FILES.config) && entries.some((name) => name !== RUN_FILES.checkpoints))
    throw takenFolder(where, 'has other files but no config.yaml of a run');
  checkWritable(folder, where);
}

/** Names of the entries in a run's folder, without its lock and temporary files; empty if the folder does not exist. */
function listContent(folder: string): string[] {
  if (!readStats(folder)) return [];
  return readdirSync(folder).filter((name) => name !== LOCK_FILE && !isTemporary(name));
}

/**
 * Makes this thread the only writer of a run's folder, which must exist. See {@link lockFolder}.
 *
 * @returns a function that unlocks it
 * @throws UserError if another run holds the lock
 */
export function lockRun(folder: string, options?: LockOptions): () => void {
  const launch = readLaunch(process.env);
  const launcher = launch && launch.size !== 1 ? process.ppid : parentProcess();
  return lockFolder(folder, { launcher, ...options });
}

/**
 * Creates the folder and locks it.
 *
 * @param seen its entries when it was checked
 * @returns a function that unlocks it
 * @throws UserError if another run holds the lock or has since started in it, or if the system refuses
 */
function takeRunFolder(folder: string, seen: readonly string[], options: LockOptions): () => void {
  const release = asked(folder, () => {
    makeFolder(folder);
    return lockRun(folder, options);
  });
  if (listContent(folder).join('/') === seen.join('/')) return release;
  release();
  throw takenFolder(`output: ${folder}`, 'already contains another run');
}

function takenFolder(where: string, fault: string, hint = 'Choose another folder as output.'): UserError {
  return new UserError({ where, fault, hint, code: 'already_exists' });
}

function asked<T>(folder: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw refused(`output: ${folder}`, error);
  }
}

function nearestAbove(path: string): string {
  return readStats(path) ? path : nearestAbove(dirname(path));
}

function checkWritable(folder: string, where: string): void {
  if (!statSync(folder).isDirectory()) {
    throw new UserError({ where, fault: `cannot be made, because ${folder} is a file`, code: 'file_system' });
  }
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw refused(where, error);
  }
}

function refused(where: string, error: unknown): UserError {
  const { code } = error as NodeJS.ErrnoException;
  return new UserError({ where, fault: `is not writable (${code})`, code: 'file_system' });
}

function readStats(path: string) {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
