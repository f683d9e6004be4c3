import { lstatSync, readlinkSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../../../support/user-error.ts';
import { NewFile } from './new-file.ts';

/**
 * Writes a file atomically: even after a crash, a reader finds either the old content or the new one. Missing
 * parent folders are created. If writing fails, no partial file is left behind.
 *
 * @throws UserError if the path is a folder or a device, which the rename would replace
 */
export function atomicWrite(path: string, data: string | Uint8Array | Iterable<Uint8Array>): void {
  assertNoOther(resolve(path));
  const file = new NewFile(path);
  try {
    for (const chunk of listChunks(data)) file.write(chunk);
    file.replace();
  } catch (error) {
    // Errors of an open file do not contain its path, so it is added.
    throw Object.assign(error as Error, { path: (error as NodeJS.ErrnoException).path ?? path });
  } finally {
    file.discard();
  }
}

/** Rejects a folder, a device, and a link to an open file such as /dev/stdout. */
function assertNoOther(where: string): void {
  const stats = statSync(where, { throwIfNoEntry: false });
  if (!stats) return;
  const isOpenFile = lstatSync(where).isSymbolicLink() && readlinkSync(where).startsWith('/proc/');
  if (!stats.isFile() || isOpenFile)
    throw new UserError({
      where,
      fault: 'is a folder or a device. Pass the name of a file',
      code: 'file_system',
    });
}

function listChunks(data: string | Uint8Array | Iterable<Uint8Array>): Iterable<Uint8Array> {
  if (typeof data === 'string') return [new TextEncoder().encode(data)];
  return data instanceof Uint8Array ? [data] : data;
}
