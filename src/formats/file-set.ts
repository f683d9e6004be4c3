import { UserError } from '../support/user-error.ts';
import type { AsyncByteSource } from './async-byte-source.ts';
import { blobSource } from './blob-source.ts';
import { openFetchSource } from './fetch-source.ts';
import { MAX_JSON_BYTES, parseSmallJson } from './small-json.ts';

/** A file as a page has it: of the user's, in memory (bytes or text), or at an address. */
export type PageFile = Blob | Uint8Array | string | URL;

/** Files by their names, wherever they lie: what a folder is in Node. */
export interface FileSet {
  /** As messages call it. */
  name: string;
  /** Undefined where there is no file of that name. */
  open(name: string): Promise<AsyncByteSource | undefined>;
}

/** Files that are given one by one. `name`: of all of them, for messages. */
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

/** Files below an address, which ends where their names begin. */
export function filesAt(address: URL): FileSet {
  return {
    name: address.href,
    open: (file) => openFetchSource(new URL(file.split('/').map(encodeURIComponent).join('/'), address)),
  };
}

/** How messages call a file of a set. */
export function pathIn(set: string, file: string): string {
  return set.endsWith('/') ? set + file : `${set}/${file}`;
}

/**
 * The bytes of a file of a set.
 *
 * @param expected what kind of file it is, for messages
 * @throws UserError for one that is longer than `maxBytes`, or cannot be read
 */
export async function readFile(
  set: FileSet,
  file: string,
  maxBytes = MAX_JSON_BYTES,
): Promise<Uint8Array | undefined> {
  const source = await set.open(file);
  if (!source || source.size <= maxBytes) return source?.read(0, source.size);
  const where = pathIn(set.name, file);
  throw new UserError({ where, expected: `at most ${maxBytes} bytes`, got: `${source.size}` });
}

/** The value of a small JSON file; undefined where there is none. Throws a UserError for what is no JSON. */
export async function readJsonFile(set: FileSet, file: string): Promise<unknown> {
  const bytes = await readFile(set, file);
  return bytes && parseSmallJson(bytes, pathIn(set.name, file));
}

/** The UserError for a file that must be there and is not. */
export function missingIn(set: FileSet, file: string, expected: string): UserError {
  return new UserError({ where: pathIn(set.name, file), expected, got: 'nothing there' });
}
