import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { threadId } from 'node:worker_threads';
import { isAlive } from '../../support/node/is-alive.ts';
import { UserError } from '../../support/user-error.ts';
import { makeFolder } from './make-folder.ts';

/**
 * Writes a file so that a reader, or a crash at any moment, finds the old content or the new, never a part of it:
 * temporary file in the same folder, fsync, rename, fsync of the folder. Missing parent folders are made.
 * The temporary file is removed when anything fails, also when `data` throws half way.
 *
 * @throws UserError for the name of a folder or a device, which the rename would put a file in place of
 */
export function atomicWrite(path: string, data: string | Uint8Array | Iterable<Uint8Array>): void {
  assertNoOther(resolve(path));
  const folder = dirname(path);
  makeFolder(folder);
  removeLeftovers(folder, basename(path));
  const temporary = join(folder, `.${basename(path)}.${process.pid}-${threadId}.tmp`);
  const fd = openSync(temporary, 'wx');
  try {
    try {
      for (const chunk of chunksOf(data)) writeAll(fd, chunk);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    // Errors of an open file do not name it.
    throw Object.assign(error as Error, { path: (error as NodeJS.ErrnoException).path ?? path });
  }
  syncFolder(folder);
}

/** Refuses the name of a folder or a device, and a link to an open file, as /dev/stdout is one. */
function assertNoOther(where: string): void {
  const stats = statSync(where, { throwIfNoEntry: false });
  if (!stats) return;
  const isOpenFile = lstatSync(where).isSymbolicLink() && readlinkSync(where).startsWith('/proc/');
  if (!stats.isFile() || isOpenFile)
    throw new UserError({ where, expected: 'the name of a file', got: 'a folder or device' });
}

function chunksOf(data: string | Uint8Array | Iterable<Uint8Array>): Iterable<Uint8Array> {
  if (typeof data === 'string') return [new TextEncoder().encode(data)];
  return data instanceof Uint8Array ? [data] : data;
}

function writeAll(fd: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done);
}

/**
 * Removes the temporary files that {@link atomicWrite} left in a folder when its process was killed (or an earlier one
 * with our own id): of the file `name`, or without it of every file.
 */
export function removeLeftovers(folder: string, name?: string): void {
  for (const entry of readdirSync(folder)) {
    const [, written, pid, thread] = /^\.(.+)\.(\d+)-(\d+)\.tmp$/.exec(entry) ?? [];
    if (written === undefined || (name !== undefined && written !== name)) continue;
    const isOver = Number(pid) === process.pid ? Number(thread) === threadId : !isAlive(Number(pid));
    if (isOver) rmSync(join(folder, entry), { force: true });
  }
}

/** Makes the rename itself durable. Windows cannot open a folder, and some file systems refuse to sync one. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'EINVAL' && code !== 'ENOTSUP') throw error;
  } finally {
    closeSync(fd);
  }
}
