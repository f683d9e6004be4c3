import { createHash } from 'node:crypto';
import { type BigIntStats, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../support/node/cache-folder.ts';
import { identityOf } from '../../support/node/file-identity.ts';
import { atomicWrite } from './atomic-write.ts';

const DIGEST = /^[0-9a-f]{64}$/;
/**
 * Minimum age of a file before its digest is stored. Some file systems record times in steps of a second or
 * two, so a later write could have the same time.
 */
const SETTLED_MS = 10_000;

/** The digest stored by {@link rememberDigest}. Undefined if the file has changed since. */
export function rememberedDigest(stats: BigIntStats, cache = cacheFolder()): string | undefined {
  try {
    const digest = readFileSync(placeOf(stats, cache), 'utf8');
    return DIGEST.test(digest) ? digest : undefined;
  } catch {
    return undefined;
  }
}

/** Stores a file's digest for later processes, unless the file has only just been written. */
export function rememberDigest(stats: BigIntStats, digest: string, cache = cacheFolder()): void {
  if (Date.now() - Number(stats.ctimeMs) < SETTLED_MS) return;
  try {
    atomicWrite(placeOf(stats, cache), digest);
  } catch {
    // The cache may be full or read-only. Then the file is hashed again next time.
  }
}

function placeOf(stats: BigIntStats, cache: string): string {
  return join(cache, 'digests', createHash('sha256').update(identityOf(stats)).digest('hex').slice(0, 32));
}
