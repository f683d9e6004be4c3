import { homedir } from 'node:os';
import { join } from 'node:path';
import { PROGRAM } from '../program.ts';

/** The folder for files that can be created again. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.ADALORA_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), PROGRAM);
}
