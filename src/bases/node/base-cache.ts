import { createHash } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { contentDigest, isDigestedWhole } from '../../formats/node/content-digest.ts';
import { PROGRAM } from '../../support/program.ts';

/** Changes when the files are written another way. */
const VERSION = 3;

/** Where copies of bases in other types are kept. */
export function baseCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.ADALORA_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), PROGRAM);
}

/**
 * A name for what is made of some weight files in some way: it changes when the content of one does. Of huge files not all is
 * read, so that their path and time count as well.
 */
export function baseKey(files: readonly string[], how: object): string {
  const described = files.map((file) => {
    const { size, mtimeMs } = statSync(file);
    const digest = contentDigest(file);
    return isDigestedWhole(size) ? [digest] : [digest, realpathSync(file), mtimeMs];
  });
  const text = JSON.stringify([VERSION, how, described.sort()]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
