import { createHash } from 'node:crypto';
import { realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { PROGRAM } from '../../support/program.ts';

/** Changes when the files are written another way. */
const VERSION = 2;

/** Where copies of bases in other types are kept. */
export function baseCacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.ADALORA_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), PROGRAM);
}

/**
 * A name for what is made of some weight files in some way: it changes when one of them is another or has changed. Their
 * contents are not read, which would take as long as a step of training.
 */
export function baseKey(files: readonly string[], how: object): string {
  const described = files.map((file) => {
    const path = realpathSync(file);
    const { size, mtimeMs } = statSync(path);
    return [path, size, mtimeMs];
  });
  const text = JSON.stringify([VERSION, how, described.sort()]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
