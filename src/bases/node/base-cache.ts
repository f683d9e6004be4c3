import { createHash } from 'node:crypto';
import { contentDigest } from '../../formats/node/content-digest.ts';

/** Changes when the files are written another way. */
const VERSION = 3;

/** A name for what is made of some weight files in some way: it changes when the content of one does. */
export function baseKey(files: readonly string[], how: object): string {
  const described = files.map((file) => [contentDigest(file)]);
  const text = JSON.stringify([VERSION, how, described.sort()]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
