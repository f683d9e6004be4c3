import { closeSync, constants, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, dirname, isAbsolute, resolve } from 'node:path';
import { nearest } from '../../../support/text.ts';
import { InvalidFile, UserError } from '../../../support/user-error.ts';
import type { LocalSource } from '../byte-source.ts';

/** Maximum length of a single read; it must fit into a 32-bit integer. */
const MAX_READ_BYTES = 2 ** 30;
/** With NONBLOCK, opening a pipe does not wait for a writer. Windows does not have this flag. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** An open file on a disk. */
export class FileSource implements LocalSource {
  readonly path: string;
  readonly size: number;
  #fd: number | undefined;

  private constructor(path: string, size: number, fd: number) {
    this.path = path;
    this.size = size;
    this.#fd = fd;
  }

  /**
   * Opens a file; undefined if it is missing.
   *
   * @param expected a description of the file for messages: "a safetensors file"
   * @throws UserError if it is unreadable or not a regular file
   */
  static open(path: string, expected: string): FileSource | undefined {
    const fd = openForReading(path);
    if (fd === undefined) return undefined;
    const status = fstatSync(fd);
    if (status.isFile()) return new FileSource(path, status.size, fd);
    closeSync(fd);
    throw new InvalidFile({ where: path, fault: `is a folder or a device. Pass ${expected}` });
  }

  read(begin: number, end: number): Uint8Array {
    const fd = this.#open();
    const bytes = new Uint8Array(end - begin);
    let done = 0;
    while (done < bytes.length) {
      const length = Math.min(bytes.length - done, MAX_READ_BYTES);
      const count = readSync(fd, bytes, done, length, begin + done);
      if (count === 0) {
        const hint = 'The file changed while it was read.';
        throw new InvalidFile({
          where: this.path,
          fault: `ends at byte ${begin + done} instead of ${end}`,
          hint,
        });
      }
      done += count;
    }
    return bytes;
  }

  /** Closes the file. A second call does nothing, because another file may have the descriptor's number by then. */
  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) closeSync(fd);
  }

  #open(): number {
    if (this.#fd !== undefined) return this.#fd;
    throw new Error(`${this.path} was closed before it was read`);
  }
}

function openForReading(path: string): number | undefined {
  try {
    return openSync(path, FLAGS);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new UserError({
      where: path,
      fault: `cannot be read: ${code ?? String(error)}`,
      code: 'file_system',
    });
  }
}

/**
 * The UserError for a path that does not exist. It suggests similar names in the same folder.
 *
 * @param expected a noun such as "a folder"
 */
export function missingFile(path: string, expected: string): UserError {
  const folder = dirname(resolve(path));
  const fault = `does not exist; it should be ${expected}`;
  const error = { where: path, fault, code: 'not_found' } as const;
  if (!existsSync(folder))
    return new UserError({ ...error, hint: `The folder ${folder} does not exist either.` });
  const shown = isAbsolute(path) ? '' : path.slice(0, path.length - basename(path).length);
  const near = nearest(basename(path), listing(folder)).map((name) => shown + name);
  return new UserError({ ...error, hint: near.length > 0 ? `Did you mean ${near.join(', ')}?` : undefined });
}

function listing(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
