import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import { processStatus } from '../../../support/node/process-status.ts';

/** A place with unique process numbers. Two containers with the same host name may have processes of the same number. */
interface Place {
  host: string;
  /** The machine's boot id and the pid namespace, on Linux only. */
  boot?: string;
  namespace?: string;
}

/** A thread that holds a lock or writes a file. */
export interface Owner extends Place {
  pid: number;
  thread: number;
  /** See {@link processStatus}. */
  started?: string;
}

export function thisOwner(): Owner {
  const started = processStatus(process.pid)?.started;
  return { ...thisPlace(), pid: process.pid, thread: threadId, started };
}

function thisPlace(): Place {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return { host: hostname(), boot, namespace: readlinkSync('/proc/self/ns/pid') };
  } catch {
    return { host: hostname() };
  }
}

/** Sixteen hexadecimal digits that identify a place, for file names. */
export function placeKey({ host, boot, namespace }: Place = thisPlace()): string {
  return createHash('sha256')
    .update(JSON.stringify([host, boot, namespace]))
    .digest('hex')
    .slice(0, 16);
}

/**
 * Whether a process has ended. Undefined for a process of another host, boot or pid namespace, where its number cannot
 * be checked.
 *
 * @param place its {@link placeKey}
 */
export function hasEnded(
  place: string,
  { pid, started }: Pick<Owner, 'pid' | 'started'>,
): boolean | undefined {
  if (place !== placeKey()) return undefined;
  if (!isAlive(pid)) return true;
  const now = processStatus(pid)?.started;
  return now !== undefined && started !== undefined && now !== started;
}

/**
 * Whether a process with this number runs on this machine. A zombie does not count: it has ended and only keeps its
 * number.
 */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !processStatus(pid)?.isZombie;
}
