import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { linkNew, takeAway } from './links.ts';
import { inUse, makeFolder, removeStale, temporaryName } from './temporary-name.ts';

/**
 * A file that is written under a temporary name in its folder. After a crash, a reader finds either the old
 * content or the new one. Finish it with `replace` or `publish`, and always call `discard`.
 */
export class NewFile {
  readonly path: string;
  readonly #temporary: string;
  #fd: number | undefined;

  /** Creates missing folders. Removes temporary files that killed writers left in the folder. */
  constructor(path: string) {
    this.path = path;
    const folder = dirname(path);
    makeFolder(folder);
    removeStale(folder);
    this.#temporary = temporaryName(path);
    try {
      this.#fd = openSync(this.#temporary, 'wx');
    } catch (error) {
      // A user knows the final name.
      throw Object.assign(error as Error, { path });
    }
    inUse.add(resolve(this.#temporary));
  }

  write(bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) done += writeSync(this.#fd!, bytes, done, bytes.length - done);
  }

  /** Renames the file to its final name. If there are several writers, the last one wins. */
  replace(): void {
    this.#finish();
    renameSync(this.#temporary, this.path);
    syncFolder(dirname(this.path));
  }

  /**
   * Gives the file its final name. If another writer's intact file has this name, that file stays, because it
   * may be open elsewhere. A damaged file with this name is replaced.
   *
   * @param isIntact whether a file has the right content; called for this file first, and for a file that has
   * the name
   * @returns whether the path now has an intact file; false if this file is damaged
   */
  publish(isIntact: (path: string) => boolean): boolean {
    this.#finish();
    if (!isIntact(this.#temporary)) return false;
    for (;;) {
      const isOurs = linkNew(this.#temporary, this.path);
      const found = isOurs ? undefined : statSync(this.path, { throwIfNoEntry: false });
      if (isOurs || (found && isIntact(this.path))) break;
      if (found) takeAway(this.path, (aside) => statSync(aside).ino === found.ino);
      // Without hard links, another writer may take the name between the check and this call.
      else if (isOurs === undefined) {
        renameSync(this.#temporary, this.path);
        break;
      }
    }
    syncFolder(dirname(this.path));
    return true;
  }

  discard(): void {
    this.#close();
    inUse.delete(resolve(this.#temporary));
    rmSync(this.#temporary, { force: true });
  }

  #finish(): void {
    fsyncSync(this.#fd!);
    this.#close();
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/** Makes a new file name durable if possible. Windows cannot open a folder, and some file systems cannot sync one. */
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
