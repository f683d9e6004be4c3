import type { Hash } from '../../support/sha256.ts';
import { digestRanges, type LocalSource, startDigest } from './byte-source.ts';
import { type FolderFiles, openFile, type PathState, readText } from './files.ts';

const DIGEST = /^[0-9a-f]{64}$/;
/**
 * Minimum age of a file before its digest is stored. Some file systems record times in steps of a second or
 * two, so a later write could have the same time.
 */
const SETTLED_MS = 10_000;

/** Maximum size of files that are hashed each time, which takes a few milliseconds. */
export const SMALL_BYTES = 2 ** 20;

/**
 * Identifies a file by its content, as `sourceDigest` does in a page. The hash of a large file is cached until the file
 * changes.
 *
 * @param small maximum size in bytes of a file that is hashed each time
 * @throws UserError for a missing or unreadable file
 */
export function contentDigest(
  disk: FolderFiles,
  path: string,
  cache: FolderFiles,
  small = SMALL_BYTES,
): string {
  return rememberedHash(disk, path, cache.within('digests'), small, (file) => {
    const hash = startDigest(file.size, disk.newHash());
    for (const range of digestRanges(file.size)) hash.update(file.read(...range));
    return hash;
  });
}

/**
 * A hash of a file's bytes. That of a large file is stored in `cache` until the file changes.
 *
 * @param small maximum size in bytes of a file that is hashed each time
 */
export function rememberedHash(
  disk: FolderFiles,
  path: string,
  cache: FolderFiles,
  small: number,
  hashOf: (file: LocalSource) => Hash,
): string {
  // A file that has the same state afterwards was not replaced before it was opened.
  const before = disk.stat(path);
  const file = openFile(disk, path, 'a file');
  try {
    const place = before && file.size > small ? findPlace(disk, before) : undefined;
    const known = place === undefined ? undefined : rememberedDigest(cache, place);
    if (known !== undefined) return known;
    const digest = hashOf(file).digest('hex');
    if (place !== undefined && isSettled(before!) && findPlace(disk, disk.stat(path)) === place)
      rememberDigest(cache, place, digest);
    return digest;
  } finally {
    file.close();
  }
}

/** The digest stored by {@link rememberDigest}. Undefined if the file has changed since. */
function rememberedDigest(cache: FolderFiles, place: string): string | undefined {
  try {
    const digest = readText(cache, place, 'a digest');
    return DIGEST.test(digest) ? digest : undefined;
  } catch {
    return undefined;
  }
}

/** Stores a file's digest for later processes. */
function rememberDigest(cache: FolderFiles, place: string, digest: string): void {
  try {
    cache.write(place, digest);
  } catch {
    // The cache may be full or read-only. Then the file is hashed again next time.
  }
}

function isSettled({ changed }: PathState): boolean {
  return Date.now() - Number(changed / 1_000_000n) >= SETTLED_MS;
}

/** The file of a digest, by the state of the file that it identifies. */
function findPlace(disk: FolderFiles, state: PathState | undefined): string {
  const { identity, changed } = state ?? {};
  return disk.newHash().update(`${identity},${changed}`).digest('hex').slice(0, 32);
}
