import { createHash } from 'node:crypto';
import { identityOf } from '../../support/node/file-identity.ts';
import { digestRanges, startDigest, textDigest } from '../source-digest.ts';
import { FileSource } from './file-source.ts';
import { rememberDigest, rememberedDigest } from './remembered-digests.ts';

/** Maximum size of files that are hashed each time, which takes only a fraction of a second. */
const SMALL_BYTES = 2 ** 24;

/** The digest of a file, or of rows in memory. */
export function digestOf(file: string | { read(): string }): string {
  return typeof file === 'string' ? contentDigest(file) : textDigest(file, createHash('sha256'));
}

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
    if (isLarge && identityOf(source.stats()) === identityOf(before)) rememberDigest(before, digest, cache);
    return digest;
  } finally {
    source.close();
  }
}
