import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import { isAlive } from './is-alive.ts';
import { processStatus } from './process-status.ts';

/** Where process numbers mean the same: two containers of one host name have them twice. */
export interface Place {
  host: string;
  /** The machine's start and the pid namespace, if the system is Linux. */
  boot?: string;
  namespace?: string;
}

/** A thread that holds or writes a file. */
export interface Owner extends Place {
  pid: number;
  thread: number;
  /** See {@link processStatus}. */
  started?: string;
}

/** This thread. */
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

/** Sixteen hexadecimal digits for a place, as part of a file's name. */
export function placeKey({ host, boot, namespace }: Place = thisPlace()): string {
  return createHash('sha256')
    .update(JSON.stringify([host, boot, namespace]))
    .digest('hex')
    .slice(0, 16);
}

/**
 * Whether a process has ended; undefined if it ran in another place, from which nobody can tell.
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
