import { UserError } from '../support/user-error.ts';
import type { AsyncByteSource } from './async-byte-source.ts';
import { blobSource } from './blob-source.ts';
import { openFetchSource } from './fetch-source.ts';
import { MAX_JSON_BYTES, parseSmallJson } from './small-json.ts';
import { sourceDigest } from './source-digest.ts';

/** A file in a page: chosen by the user, in memory (bytes or text), or at a URL. */
export type PageFile = Blob | Uint8Array | string | URL;

/** Files by name, from any source. It replaces a folder in a browser. */
export interface FileSet {
  /** The set's name in messages. */
  name: string;
  /** Opens a file; undefined if it does not exist. */
  open(name: string): Promise<AsyncByteSource | undefined>;
}

/**
 * Makes a set of the given files.
 *
 * @param name the set's name in messages
 */
export function filesFrom(files: ReadonlyMap<string, PageFile>, name: string): FileSet {
  return {
    name,
    async open(file) {
      const content = files.get(file);
      if (content === undefined) return undefined;
      if (content instanceof URL) return openFetchSource(content);
      const blob = content instanceof Blob ? content : new Blob([content as BlobPart]);
      return blobSource(blob, pathIn(name, file));
    },
  };
}

/** Makes a set of the files below a URL. File names are appended to the URL. */
export function filesAt(address: URL): FileSet {
  return {
    name: address.href,
    open: (file) => openFetchSource(new URL(file.split('/').map(encodeURIComponent).join('/'), address)),
  };
}

/** The path of a set's file, for messages. */
export function pathIn(set: string, file: string): string {
  return set.endsWith('/') ? set + file : `${set}/${file}`;
}

/**
 * Reads a whole file of a set.
 *
 * @param expected a description of the file for messages
 * @throws UserError if it is longer than `maxBytes`, or unreadable
 */
export async function readFile(
  set: FileSet,
  file: string,
  maxBytes = MAX_JSON_BYTES,
): Promise<Uint8Array | undefined> {
  const source = await set.open(file);
  if (!source || source.size <= maxBytes) return source?.read(0, source.size);
  const where = pathIn(set.name, file);
  throw new UserError({ where, fault: `has ${source.size} bytes, more than the maximum of ${maxBytes}` });
}

/** The digests of those files that exist. */
export async function digestsIn(set: FileSet, names: readonly string[]): Promise<string[]> {
  const sources = await Promise.all(names.map((name) => set.open(name)));
  return Promise.all(sources.filter((source) => source !== undefined).map(sourceDigest));
}

/** Parses a small JSON file; undefined if it does not exist. Throws a UserError for invalid JSON. */
export async function readJsonFile(set: FileSet, file: string): Promise<unknown> {
  const bytes = await readFile(set, file);
  return bytes && parseSmallJson(bytes, pathIn(set.name, file));
}

/** The error for a missing file. */
export function missingIn(set: FileSet, file: string, expected: string): UserError {
  return new UserError({ where: pathIn(set.name, file), fault: `does not exist; it should be ${expected}` });
}
