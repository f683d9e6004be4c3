import type { Hash } from '../../support/sha256.ts';
import { nearest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import { MAX_JSON_BYTES, parseSmallJson } from './bounded-json.ts';
import {
  type ByteSource,
  blobSource,
  type LocalSource,
  sourceDigest,
  splitRange,
  wholeFile,
} from './byte-source.ts';
import { utf8Text } from './excerpt.ts';
import { openFetchSource } from './fetch-source.ts';

/** A file in a page: chosen by the user, in memory (bytes or text), or at a URL. */
export type PageFile = Blob | Uint8Array | string | URL;

/** Files by name: a folder, the files of a page, or those below a URL. Models and adapters are read through it. */
export interface Files {
  /** The name of the whole in messages. */
  name: string;
  /** Opens a file; undefined if it does not exist. */
  open(name: string): ByteSource | undefined | Promise<ByteSource | undefined>;
  /** The names of the files, for hints; empty if they cannot be listed. */
  list(): readonly string[];
  /** Identifies a file by its content, like `sourceDigest`. Missing if a file must be read for it. */
  digest?(name: string): string;
}

/** A file's name in messages, and the digest of its content. */
export type FileDigest = readonly [name: string, digest: string];

/** The state of a file or folder. Links are followed. */
export interface PathState {
  kind: 'file' | 'folder' | 'other';
  size: number;
  /** Whether the path itself is a link. */
  isLink: boolean;
  /** Changes when the file is replaced or overwritten. */
  identity: string;
  /**
   * Time of the last change in nanoseconds. Any write changes it, even if size and modification time are reset, and so does
   * a new hard link.
   */
  changed: bigint;
}

/**
 * A folder that a program writes too, such as that of a run: on a disk, or in memory. It answers at once. All of a disk is
 * one too, with the paths that a user gives as names.
 */
export interface FolderFiles extends Files {
  /** The path of a file in messages and events. */
  path(name: string): string;
  /** The names of all files and folders in it; empty if it is missing. */
  list(): readonly string[];
  /** Whether there is a file or folder of this name. */
  has(name: string): boolean;
  /**
   * Undefined if there is nothing at the path.
   *
   * @throws UserError if the system denies access to it
   */
  stat(name: string): PathState | undefined;
  /** The path of what exists, with all links resolved. */
  realPath(name: string): string;
  /** The paths of all files and folders below it, with forward slashes. Links to folders are not followed. */
  listAll(): string[];
  /**
   * Opens a file for reading; undefined if it does not exist.
   *
   * @param expected a description of the file for messages (default: "a file")
   * @throws UserError if it is unreadable
   */
  open(name: string, expected?: string): LocalSource | undefined;
  /** The error for a path that does not exist. It suggests similar names. */
  missing(name: string, expected: string): UserError;
  /** Writes a file, and the folder if it is missing. Even after a crash, a reader finds the old content or the new one. */
  write(name: string, content: string | Uint8Array | Iterable<Uint8Array>): void;
  /**
   * Starts a file that other processes may write too. It appears when it is published. Always discard it in the end.
   */
  newFile(name: string): {
    write(bytes: Uint8Array): void;
    /**
     * Gives the file its name, unless another writer's intact file has it.
     *
     * @param isIntact whether a file of this folder has the right content; called for this file first
     * @returns whether an intact file has the name
     */
    publish(isIntact: (name: string) => boolean): boolean;
    discard(): void;
  };
  /** Links a path to a file, or copies the file if the system has no links. */
  link(name: string, target: string): void;
  /** Adds to the end of a file. */
  append(name: string, content: string | Uint8Array): void;
  /** Removes a file, or a folder with its files, if it exists. */
  remove(name: string): void;
  /** A folder in this one, which may be missing. */
  within(name: string): FolderFiles;
  /**
   * Calls `work` with a folder that no other writer uses, and removes it afterwards. `work` creates it.
   *
   * @param name the start of its name
   */
  inScratchFolder<T>(name: string, work: (folder: FolderFiles) => Promise<T>): Promise<T>;
  /** Identifies a file by its content, like `sourceDigest`. */
  digest(name: string): string;
  /** The fastest SHA-256 here, or SHA-1. */
  newHash(algorithm?: 'sha1' | 'sha256'): Hash;
}

/** A folder in a page: files by name, the URL of a folder, or any other {@link Files}. */
export type Folder = ReadonlyMap<string, PageFile> | string | URL | Files;

/** @param name the name of given files in messages */
export function asFiles(folder: Folder, name: string): Files {
  if (folder instanceof Map) return filesFrom(folder, name);
  return typeof folder === 'string' || folder instanceof URL ? filesAt(folderUrl(folder)) : (folder as Files);
}

/** A URL to which file names can be appended. It is resolved against the page's URL. */
export function folderUrl(address: string | URL): URL {
  const url = new URL(address, globalThis.location?.href);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/**
 * The given files.
 *
 * @param name their name in messages
 */
export function filesFrom(files: ReadonlyMap<string, PageFile>, name: string): Files {
  return {
    name,
    list: () => [...files.keys()],
    async open(file) {
      const content = files.get(file);
      if (content === undefined) return undefined;
      if (content instanceof URL) return openFetchSource(content);
      const blob = content instanceof Blob ? content : new Blob([content as BlobPart]);
      return blobSource(blob, pathIn(name, file));
    },
  };
}

/** The files below a URL, to which their names are appended. */
function filesAt(address: URL): Files {
  return {
    name: address.href,
    list: () => [],
    open: (file) => openFetchSource(new URL(file.split('/').map(encodeURIComponent).join('/'), address)),
  };
}

/** The path of a file, for messages. */
export function pathIn(folder: string, file: string): string {
  return folder.endsWith('/') ? folder + file : `${folder}/${file}`;
}

/**
 * Reads a whole file; undefined if it does not exist.
 *
 * @throws UserError if it is longer than `maxBytes`, or unreadable
 */
export async function readFile(
  files: Files,
  file: string,
  maxBytes = MAX_JSON_BYTES,
): Promise<Uint8Array | undefined> {
  const source = await files.open(file);
  return source && wholeFile(source, maxBytes);
}

/** Whether a file exists. */
export async function hasFile(files: Files, name: string): Promise<boolean> {
  const source = await files.open(name);
  source?.close?.();
  return source !== undefined;
}

/** Opens an existing file of a folder. Throws a UserError if it is missing or unreadable. */
export function openFile(folder: FolderFiles, name: string, expected: string): LocalSource {
  const file = folder.open(name, expected);
  if (file) return file;
  throw folder.missing(name, expected);
}

/** The digests of those files that exist. */
export async function digestsIn(files: Files, names: readonly string[]): Promise<FileDigest[]> {
  const found = names.map(async (name): Promise<FileDigest | undefined> => {
    const source = await files.open(name);
    try {
      return source && [name, files.digest?.(name) ?? (await sourceDigest(source))];
    } finally {
      source?.close?.();
    }
  });
  return (await Promise.all(found)).filter((each) => each !== undefined);
}

/** Parses a small JSON file; undefined if it does not exist. Throws a UserError for invalid JSON. */
export async function readJsonFile(files: Files, file: string): Promise<unknown> {
  const bytes = await readFile(files, file);
  return bytes && parseSmallJson(bytes, pathIn(files.name, file));
}

/** Reads a small text file of a folder. Throws a UserError if it is missing or not UTF-8. */
export function readText(
  folder: FolderFiles,
  name: string,
  expected: string,
  maxBytes = MAX_JSON_BYTES,
): string {
  const file = openFile(folder, name, expected);
  return utf8Text(wholeFile(file, maxBytes), file.path);
}

/** Rejects an output folder that already has files, and an empty path, which would mean the current folder. */
export function assertNewFolder(disk: FolderFiles, path: string): void {
  if (path === '') throw new UserError({ key: 'output', fault: 'is empty', hint: 'Name a folder.' });
  if (disk.within(path).list().length === 0) return;
  throw new UserError({
    where: `output: ${path}`,
    fault: 'is not empty',
    hint: 'Choose a new or empty folder.',
    code: 'already_exists',
  });
}

/** Whether an absolute path is below a folder, both without links. */
export function isBelow(path: string, folder: string): boolean {
  // In other systems than Windows, a name may have a backslash.
  const separator = /^([a-z]:)?\\/i.test(folder) ? '\\' : '/';
  return path.startsWith(folder.endsWith(separator) ? folder : folder + separator);
}

/** The bytes of a file, or those in a range, in parts. The file is open while it is read. */
export function* fileChunks(
  folder: FolderFiles,
  name: string,
  part?: { begin: number; end: number },
): Generator<Uint8Array> {
  const file = openFile(folder, name, 'a file');
  try {
    const { begin, end } = part ?? { begin: 0, end: file.size };
    for (const range of splitRange(begin, end)) yield file.read(...range);
  } finally {
    file.close();
  }
}

/** The error for a missing file. It suggests similar names. */
export function missingIn(files: Files, file: string, expected: string): UserError {
  const near = nearest(file, files.list());
  return new UserError({
    where: pathIn(files.name, file),
    fault: `does not exist; it should be ${expected}`,
    hint: near.length > 0 ? `Did you mean ${near.join(', ')}?` : undefined,
    code: 'not_found',
  });
}

/** The names in a folder, for hints and scans. Empty for a file, and for a folder that the system refuses to list. */
export function listSafely(folder: FolderFiles): readonly string[] {
  try {
    return folder.list();
  } catch {
    return [];
  }
}
