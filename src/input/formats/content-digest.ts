import { digestRanges, startDigest, textDigest } from './byte-source.ts';
import { type FolderFiles, type PathState, readTextNow } from './files.ts';

const DIGEST = /^[0-9a-f]{64}$/;
/**
 * Minimum age of a file before its digest is stored. Some file systems record times in steps of a second or
 * two, so a later write could have the same time.
 */
const SETTLED_MS = 10_000;

/** Maximum size of files that are hashed each time, which takes a few milliseconds. */
const SMALL_BYTES = 2 ** 20;

/** The digest of a file, or of rows in memory. */
export function computeDigest(disk: FolderFiles, file: string | { read(): string }): string {
  return typeof file === 'string' ? disk.digest(file) : textDigest(file, disk.newHash());
}

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
  // A file that has the same state afterwards was not replaced before it was opened.
  const before = disk.stat(path);
  const file = disk.openNow(path, 'a file');
  try {
    const { size } = file;
    const place = before && size > small ? findPlace(disk, before) : undefined;
    const known = place === undefined ? undefined : rememberedDigest(cache, place);
    if (known !== undefined) return known;
    const hash = startDigest(size, disk.newHash());
    for (const [begin, end] of digestRanges(size)) hash.update(file.read(begin, end));
    const digest = hash.digest('hex');
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
    const digest = readTextNow(cache, place, 'a digest');
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
  return `digests/${disk.newHash().update(`${identity},${changed}`).digest('hex').slice(0, 32)}`;
}
