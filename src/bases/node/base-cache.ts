import { createHash } from 'node:crypto';
import { contentDigest } from '../../formats/node/content-digest.ts';

/** Increase it when the format of the files changes. */
const VERSION = 3;

/** A cache key for files derived from weight files. It changes with the content of the weight files and with `how`. */
export function baseKey(files: readonly string[], how: object): string {
  const described = files.map((file) => [contentDigest(file)]);
  const text = JSON.stringify([VERSION, how, described.sort()]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
