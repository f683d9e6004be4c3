import { type BigIntStats, statSync } from 'node:fs';

/**
 * Tells the state of a file from every other: after any write it is another one, also where size and time of modification
 * are set back, which the time of change cannot be.
 *
 * @returns undefined for what is missing or may not be looked at
 */
export function fileIdentity(path: string): string | undefined {
  try {
    return identityOf(statSync(path, { bigint: true }));
  } catch {
    return undefined;
  }
}

/** The same for what is known of a file already. */
export function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join();
}
