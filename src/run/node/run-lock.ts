import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { launchOf } from '../../parallel/node/launch.ts';
import { fileError } from '../../support/file-error.ts';
import { isAlive } from '../../support/node/is-alive.ts';
import { processStatus } from '../../support/node/process-status.ts';
import { UserError } from '../../support/user-error.ts';

/** Its name in a run's folder. */
export const LOCK_FILE = '.lock';
/** What a file system says that has no hard links. */
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];
/** A lock without content is being written where there are no links, or its writer was killed just then. */
const WRITING_MS = 10_000;

/** mpirun may end before the processes that it ends, which take as long as their step. */
const ENDING_MS = 20_000;
const LOOK_AGAIN_MS = 100;

/** Who writes to a folder. */
interface Holder {
  pid: number;
  thread: number;
  host: string;
  /** When the process was started, where the system says so: its number may be another's by now. */
  started: string | undefined;
  /** What started it, where that is a launcher of several processes, which ends them when it ends itself. */
  launcher?: number;
}

/**
 * Makes this thread the only one that writes to a run's folder, which must exist. The lock of a process of this machine that
 * is no more is taken over; one whose launcher is no more is waited for.
 *
 * @returns what gives the folder free
 * @throws UserError where another holds it
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, LOCK_FILE);
  const patience = performance.now() + ENDING_MS;
  for (;;) {
    if (place(path)) return () => unlockFolder(folder, threadId);
    const text = contentOf(path);
    if (text === undefined) continue; // It has just been given free.
    const holder = holderIn(text);
    if (holder && isEnding(holder) && performance.now() < patience) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS);
      continue;
    }
    if (holder ? !isOver(holder) : isFresh(path)) throw heldBy(holder, folder, path);
    takeAway(path, text);
  }
}

/** Whether the lock was free and is ours now. It appears with its content, for a process may be killed at any moment. */
function place(path: string): boolean {
  const whole = join(path, '..', `.${LOCK_FILE}.new.${process.pid}-${threadId}.tmp`);
  const content = JSON.stringify(self());
  try {
    writeFileSync(whole, content);
    linkSync(whole, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (!NO_LINKS.includes(code as string)) throw error;
  } finally {
    rmSync(whole, { force: true });
  }
  try {
    writeFileSync(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes the lock that a thread of this process has left, if it has left one. Where the system does not allow that, it
 * stays: once this process has ended it holds nobody.
 */
export function unlockFolder(folder: string, thread: number): void {
  const path = join(folder, LOCK_FILE);
  try {
    const holder = holderIn(contentOf(path) ?? '');
    if (holder && isSame(holder, { ...self(), thread })) rmSync(path, { force: true });
  } catch (error) {
    if (!fileError(error)) throw error;
  }
}

/** Not a plain removal: somebody else may have taken it over just now. */
function takeAway(path: string, text: string): void {
  const aside = join(path, '..', `.${LOCK_FILE}.${process.pid}-${threadId}.tmp`);
  try {
    renameSync(path, aside);
    if (contentOf(aside) !== text) linkSync(aside, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function self(): Holder {
  const launch = launchOf(process.env);
  return {
    ...{ pid: process.pid, thread: threadId, host: hostname(), started: processStatus(process.pid)?.started },
    ...(launch && launch.size !== 1 && { launcher: process.ppid }),
  };
}

function isSame(a: Holder, b: Holder): boolean {
  return a.pid === b.pid && a.thread === b.thread && a.host === b.host && a.started === b.started;
}

function isOver({ pid, host, started }: Holder): boolean {
  if (host !== hostname()) return false;
  return !isAlive(pid) || (started !== undefined && started !== processStatus(pid)?.started);
}

/** Whether the holder is there still, and its launcher is not: then it has another parent. */
function isEnding(holder: Holder): boolean {
  const { launcher, host, pid } = holder;
  if (launcher === undefined || host !== hostname() || isOver(holder)) return false;
  const parent = processStatus(pid)?.parent;
  return parent !== undefined && parent !== launcher;
}

function holderIn(text: string): Holder | undefined {
  try {
    const { pid, thread, host, started, launcher } = JSON.parse(text);
    if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
    return { pid, thread, host: String(host), started, launcher };
  } catch {
    return undefined;
  }
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function isFresh(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.mtimeMs < WRITING_MS;
}

function heldBy(holder: Holder | undefined, folder: string, path: string): UserError {
  const who = holder ? `process ${holder.pid} on ${JSON.stringify(holder.host)}` : 'another process';
  return new UserError({
    where: `output: ${folder}`,
    expected: 'a folder that no other run writes to',
    got: `one that ${who} holds`,
    hint: `Wait for it, or choose another with --set output=... If it is no more, remove ${path}.`,
  });
}
