import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { threadId } from 'node:worker_threads';
import { UserError } from '../../../support/user-error.ts';
import { hasEnded, placeKey, thisOwner } from './owner.ts';

/**
 * Matches a temporary name: the final name; the owner's place, process, start time of the process and thread;
 * random digits.
 */
const PATTERN = /^\..+\.([0-9a-f]{16})-(\d+)-(\d+)-(\d+)-[0-9a-f]{16}\.tmp$/;
/**
 * Maximum bytes of the final name within a temporary name. Names have at most 255 bytes, and the rest takes
 * about 80.
 */
const NAME_BYTES = 150;
/**
 * Age at which a file counts as stale if its owner cannot be checked, because it runs in another container or
 * on another host. No write pauses for this long.
 */
const STALE_MS = 24 * 3600 * 1000;

/**
 * Temporary files that this thread is writing. All other temporary files of the thread were left by failed
 * writes.
 */
export const inUse = new Set<string>();

/** A unique path in the same folder, even across threads, processes, containers and hosts. */
export function temporaryName(path: string): string {
  const { pid, started = '0', thread } = thisOwner();
  const random = randomBytes(8).toString('hex');
  const name = `.${written(path)}.${placeKey()}-${pid}-${started}-${thread}-${random}.tmp`;
  return join(dirname(path), name);
}

export function isTemporary(name: string): boolean {
  return PATTERN.test(name);
}

/**
 * Removes temporary files and folders of owners that no longer run. Owners in other containers or on other hosts cannot
 * be checked. Their files are removed after a day without writes.
 */
export function removeStale(folder: string): void {
  for (const entry of readdirSync(folder)) {
    const [, place, pid, started, thread] = PATTERN.exec(entry) ?? [];
    if (place === undefined) continue;
    const path = join(folder, entry);
    const owner = { pid: Number(pid), started: started === '0' ? undefined : started };
    const isOwn = place === placeKey() && owner.pid === process.pid && Number(thread) === threadId;
    if (isOwn ? !inUse.has(resolve(path)) : (hasEnded(place, owner) ?? isOld(path)))
      rmSync(path, { force: true, recursive: true });
  }
}

function isOld(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.mtimeMs > STALE_MS;
}

function written(path: string): string {
  const name = basename(path);
  if (Buffer.byteLength(name) <= NAME_BYTES) return name;
  return createHash('sha256').update(name).digest('hex');
}

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

/**
 * Creates a folder and its parents. mkdir's own recursion is not used, because it never ends below a folder
 * such as /proc.
 *
 * @throws UserError if the system does not allow a folder there; other errors are passed on
 */
export function makeFolder(path: string): void {
  const full = resolve(path);
  if (statSync(full, { throwIfNoEntry: false })) return;
  makeFolder(dirname(full));
  try {
    mkdirSync(full);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another process has created it in the meantime.
    if (code === 'EEXIST' && statSync(full, { throwIfNoEntry: false })) return;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
    throw new UserError({
      where: full,
      fault: code === 'EEXIST' ? 'is a link to nothing, so no folder can be made' : 'cannot be made (ENOENT)',
      code: 'file_system',
    });
  }
}
