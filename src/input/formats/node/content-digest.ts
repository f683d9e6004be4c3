import { createHash } from 'node:crypto';
import { type BigIntStats, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, identifyFile } from '../../../support/node/files.ts';
import { atomicWrite } from '../../store/node/atomic-write.ts';
import { digestRanges, startDigest } from '../byte-source.ts';
import { FileSource } from './file-source.ts';

const DIGEST = /^[0-9a-f]{64}$/;
/**
 * Minimum age of a file before its digest is stored. Some file systems record times in steps of a second or
 * two, so a later write could have the same time.
 */
const SETTLED_MS = 10_000;

/** Maximum size of files that are hashed each time, which takes a few milliseconds. */
const SMALL_BYTES = 2 ** 20;

/**
 * Identifies a file by its content, as `sourceDigest` does in a page. The hash of a large file is cached until the file
 * changes.
 *
 * @param options.cache folder of the cache (default: the program's)
 * @param options.small maximum size in bytes of a file that is hashed each time
 * @throws UserError for a missing or unreadable file
 */
export function contentDigest(
  path: string,
  { cache, small = SMALL_BYTES }: { cache?: string; small?: number } = {},
): string {
  const source = FileSource.open(path, 'a file');
  try {
    const { size } = source;
    const before = source.stats();
    const isLarge = size > small;
    const known = isLarge ? rememberedDigest(before, cache) : undefined;
    if (known !== undefined) return known;
    const hash = startDigest(size, createHash('sha256'));
    for (const [begin, end] of digestRanges(size)) hash.update(source.read(begin, end));
    const digest = hash.digest('hex');
    if (isLarge && identifyFile(source.stats()) === identifyFile(before))
      rememberDigest(before, digest, cache);
    return digest;
  } finally {
    source.close();
  }
}

/** The digest stored by {@link rememberDigest}. Undefined if the file has changed since. */
function rememberedDigest(stats: BigIntStats, cache = cacheFolder()): string | undefined {
  try {
    const digest = readFileSync(findPlace(stats, cache), 'utf8');
    return DIGEST.test(digest) ? digest : undefined;
  } catch {
    return undefined;
  }
}

/** Stores a file's digest for later processes, unless the file has only just been written. */
function rememberDigest(stats: BigIntStats, digest: string, cache = cacheFolder()): void {
  if (Date.now() - Number(stats.ctimeMs) < SETTLED_MS) return;
  try {
    atomicWrite(findPlace(stats, cache), digest);
  } catch {
    // The cache may be full or read-only. Then the file is hashed again next time.
  }
}

function findPlace(stats: BigIntStats, cache: string): string {
  return join(cache, 'digests', createHash('sha256').update(identifyFile(stats)).digest('hex').slice(0, 32));
}
