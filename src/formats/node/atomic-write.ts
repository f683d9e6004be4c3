import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';

/**
 * Writes a file so that a reader, or a crash at any moment, finds the old content or the new, never a part of it:
 * temporary file in the same folder, fsync, rename, fsync of the folder. Missing parent folders are made.
 * The temporary file is removed when anything fails, also when `data` throws half way.
 */
export function atomicWrite(path: string, data: string | Uint8Array | Iterable<Uint8Array>): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
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
    throw error;
  }
  syncFolder(folder);
}

function chunksOf(data: string | Uint8Array | Iterable<Uint8Array>): Iterable<Uint8Array> {
  if (typeof data === 'string') return [new TextEncoder().encode(data)];
  return data instanceof Uint8Array ? [data] : data;
}

function writeAll(fd: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done);
}

/** Temporary files of processes that were killed while writing this file, or of an earlier one with our own id. */
function removeLeftovers(folder: string, name: string): void {
  for (const entry of readdirSync(folder)) {
    if (!entry.startsWith(`.${name}.`)) continue;
    const owner = /^(\d+)-(\d+)\.tmp$/.exec(entry.slice(name.length + 2));
    if (!owner) continue;
    const [pid, thread] = [Number(owner[1]), Number(owner[2])];
    if (pid === process.pid ? thread === threadId : !isAlive(pid))
      rmSync(join(folder, entry), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
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
