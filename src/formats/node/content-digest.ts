import { createHash } from 'node:crypto';
import { identityOf } from '../../support/node/file-identity.ts';
import { FileSource } from './file-source.ts';
import { rememberDigest, rememberedDigest } from './remembered-digests.ts';

/** Smaller files are read again each time, which takes a fraction of a second. */
const SMALL_BYTES = 2 ** 24;
/** Bytes that are read at once. */
const CHUNK = 2 ** 22;
/** The last bytes count twice: adapters and checkpoints hold digests that were made so. */
const TAIL = 2 ** 12;

/**
 * What tells a file from others by its content, wherever it lies and however old it is: a hash of its size and of all its
 * bytes. That of a large file is remembered until something is written to it.
 *
 * @param options.cache folder in which it is remembered; by default the program's
 * @param options.small bytes of a file that is read each time
 * @throws UserError for one that is missing or unreadable
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
