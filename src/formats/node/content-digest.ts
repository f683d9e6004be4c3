import { createHash } from 'node:crypto';
import { identityOf } from '../../support/node/file-identity.ts';
import { FileSource } from './file-source.ts';
import { rememberDigest, rememberedDigest } from './remembered-digests.ts';

/** Maximum size of files that are hashed each time, which takes only a fraction of a second. */
const SMALL_BYTES = 2 ** 24;
/** Bytes per read. */
const CHUNK = 2 ** 22;
/** The last bytes are hashed twice, because existing adapters and checkpoints contain such digests. */
const TAIL = 2 ** 12;

/**
 * Identifies a file by its content: a hash of its size and all its bytes. The hash of a large file is cached
 * until the file changes.
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
    const hash = createHash('sha256').update(`${size}\n`);
    for (let at = 0; at < size; at += CHUNK) hash.update(source.read(at, Math.min(size, at + CHUNK)));
    hash.update(source.read(Math.max(0, size - TAIL), size));
    const digest = hash.digest('hex');
    if (isLarge && identityOf(source.stats()) === identityOf(before)) rememberDigest(before, digest, cache);
    return digest;
  } finally {
    source.close();
  }
}
