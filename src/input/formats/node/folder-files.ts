import { createHash } from 'node:crypto';
import {
  appendFileSync,
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { PROGRAM } from '../../../support/program.ts';
import { nearest } from '../../../support/text.ts';
import { fileError, InvalidFile, UserError } from '../../../support/user-error.ts';
import { atomicWrite } from '../../store/node/atomic-write.ts';
import { newLink } from '../../store/node/links.ts';
import { NewFile } from '../../store/node/new-file.ts';
import { inScratchFolder } from '../../store/node/temporary-name.ts';
import type { LocalSource } from '../byte-source.ts';
import { contentDigest } from '../content-digest.ts';
import type { FolderFiles, PathState } from '../files.ts';

/** The files of a folder. */
export function folderFiles(folder: string): FolderFiles {
  const own = join(folder);
  const path = (name: string) => join(folder, name);
  /** On a whole disk, names are the user's paths: `..` after a link leads where the system says, and '' nowhere. */
  const at = (name: string) => (folder === '' ? name : path(name));
  return {
    name: own,
    path,
    list: () => (existsSync(own) ? allowed(() => readdirSync(own)) : []),
    has: (name) => existsSync(at(name)),
    stat: (name) => statPath(at(name)),
    realPath: (name) => realpathSync(at(name)),
    listAll: () => allowed(() => listBelow(own)),
    open: (name, expected = 'a file') => FileSource.open(at(name), expected),
    missing: (name, expected) => missingFile(at(name), expected),
    write: (name, content) => atomicWrite(path(name), content),
    newFile(name) {
      const file = new NewFile(path(name));
      return {
        write: (bytes) => file.write(bytes),
        publish: (isIntact) => file.publish((written) => isIntact(relative(own, written))),
        discard: () => file.discard(),
      };
    },
    link: (name, target) => newLink(path(name), path(target)),
    append: (name, content) => appendFileSync(path(name), content),
    remove: (name) => rmSync(path(name), { recursive: true, force: true }),
    within: (name) => folderFiles(path(name)),
    inScratchFolder: (name, work) => inScratchFolder(own, name, (scratch) => work(folderFiles(scratch))),
    digest: (name) => contentDigest(disk, at(name), disk.within(cacheFolder())),
    newHash: (algorithm = 'sha256') => createHash(algorithm),
  };
}

/** The paths below a folder. Links to folders are not followed, because they may lead in circles. */
function listBelow(folder: string): string[] {
  const found: string[] = [];
  const folders = [''];
  for (const above of folders)
    for (const entry of readdirSync(join(folder, above), { withFileTypes: true })) {
      const name = `${above}${entry.name}`;
      found.push(name);
      if (entry.isDirectory()) folders.push(`${name}/`);
    }
  return found;
}

/** The disk of this machine. Its names are paths, absolute or relative to the current folder. */
export const disk = folderFiles('');

/** Does something with a folder. An error of the file system becomes a UserError. */
function allowed<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fileError(error) ?? error;
  }
}

function statPath(path: string): PathState | undefined {
  const options = { bigint: true, throwIfNoEntry: false } as const;
  const own = allowed(() => lstatSync(path, options));
  const isLink = own?.isSymbolicLink() === true;
  const stats = isLink ? followed(own) : own;
  if (!stats) return undefined;
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other';
  const { dev, ino, size, mtimeNs, ctimeNs } = stats;
  const identity = [dev, ino, size, mtimeNs].join();
  return { kind, size: Number(size), isLink, identity, changed: ctimeNs };

  /** The target of a link. A link in a circle, or to where the system denies access, stands for itself. */
  function followed(link: BigIntStats): BigIntStats | undefined {
    try {
      return statSync(path, options);
    } catch {
      return link;
    }
  }
}

/** The folder for files that can be created again. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.ADALORA_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), PROGRAM);
}

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
function missingFile(path: string, expected: string): UserError {
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
