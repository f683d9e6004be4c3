import { type BigIntStats, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { PROGRAM } from '../program.ts';

/** The folder for files that can be created again. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.ADALORA_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), PROGRAM);
}

/**
 * Identifies the state of a file. Any write changes it, even if size and modification time are reset, because the
 * change time (ctime) cannot be set.
 *
 * @returns undefined if the file is missing or unreadable
 */
export function fileIdentity(path: string): string | undefined {
  try {
    return identifyFile(statSync(path, { bigint: true }));
  } catch {
    return undefined;
  }
}

/** The same as {@link fileIdentity}, from a file's stats. */
export function identifyFile({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join();
}
