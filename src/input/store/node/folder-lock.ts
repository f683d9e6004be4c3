import { closeSync, fstatSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { threadId, Worker } from 'node:worker_threads';
import { processStatus } from '../../../support/node/process-status.ts';
import { fileError, UserError } from '../../../support/user-error.ts';
import { linkNew, takeAway } from './links.ts';
import { hasEnded, type Owner, placeKey, thisOwner } from './owner.ts';
import { temporaryName } from './temporary-name.ts';

/** Interval at which the holder of a lock renews it. */
const BEAT_MS = 5000;

/**
 * Code of the thread that writes the lock's own bytes again. The write sets the file's time by the clock of the disk's
 * host. The thread stops when another process holds the lock.
 */
const BEAT = `
const { closeSync, fsyncSync, openSync, readFileSync, writeSync } = require('node:fs');
const { path, content, every } = require('node:worker_threads').workerData;
const beating = setInterval(() => {
  try {
    const fd = openSync(path, 'r+');
    try {
      if (readFileSync(fd, 'utf8') !== content) return clearInterval(beating);
      writeSync(fd, content, 0);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {}
}, every);
`;

/**
 * Renews a lock's modification time from a separate thread, because the engine may block this thread for minutes. The
 * separate thread ends with its parent.
 *
 * @returns a function that stops it
 */
export function startHeartbeat(path: string, content: string, every = BEAT_MS): () => void {
  const worker = new Worker(BEAT, { eval: true, execArgv: [], workerData: { path, content, every } });
  worker.unref();
  // Without a heartbeat, the lock still works for processes on this host.
  worker.on('error', () => {});
  return () => void worker.terminate();
}

/** Name of the lock in a folder. */
export const LOCK_FILE = '.lock';
/**
 * A lock may be empty for this long while it is written (without hard links). After that, its writer has been killed.
 */
const WRITING_MS = 10_000;
/** If a holder in another container or on another host does not renew its lock for this long, it has ended. */
const SILENT_MS = 24 * BEAT_MS;
/** The minimum time to watch such a lock. The disk's clock may be wrong, or the machine may just have woken up. */
const WATCHED_MS = 3 * BEAT_MS;

/** A launcher may end before its processes: they finish their step first. */
const ENDING_MS = 20_000;
const LOOK_AGAIN_MS = 100;

/** The process that writes a folder. */
interface Holder extends Owner {
  /** The launcher or experiment that started the process, if any. Its processes end when it ends. */
  launcher?: number;
}

/** A lock that exists. */
interface Found {
  text: string;
  /** Time of its last heartbeat. */
  beat: number;
}

export interface LockOptions {
  /** See {@link Holder}. */
  launcher?: number;
  /** Called once, before a lock of another container or host is watched. */
  onWait?: (message: string) => void;
  /** Shorter times for tests. */
  beatMs?: number;
  silentMs?: number;
  watchedMs?: number;
}

/**
 * Makes this thread the only writer of a folder, which must exist. The lock of an ended process on this machine
 * is taken over. If only its launcher has ended, this function waits for the process. The lock of a process in another
 * container or on another host is taken over if it is not renewed for two minutes.
 *
 * @returns a function that unlocks the folder
 * @throws UserError if another process holds the lock
 */
export function lockFolder(folder: string, options: LockOptions = {}): () => void {
  const path = join(folder, LOCK_FILE);
  const patience = performance.now() + ENDING_MS;
  const isSilent = watch(folder, options);
  for (;;) {
    const content = JSON.stringify({ ...thisOwner(), launcher: options.launcher });
    if (place(path, content)) {
      const stop = startHeartbeat(path, content, options.beatMs);
      return () => {
        stop();
        unlockFolder(folder, threadId);
      };
    }
    const current = read(path);
    if (!current) continue; // Another holder has just unlocked the folder.
    const holder = holderIn(current.text);
    let isOver = holder
      ? hasEnded(placeKey(holder), holder)
      : Math.abs(Date.now() - current.beat) > WRITING_MS;
    const mayEnd = holder && isOver === false && isEnding(holder) && performance.now() < patience;
    if (holder && isOver === undefined) isOver = isSilent(holder, current);
    if (isOver) takeAway(path, (aside) => read(aside)?.text === current.text);
    else if (isOver === false && !mayEnd) throw heldBy(holder, folder, path);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS);
  }
}

/** Takes the lock if it is free. The file appears with its content, because a process may be killed at any moment. */
function place(path: string, content: string): boolean {
  const whole = temporaryName(path);
  try {
    writeFileSync(whole, content, { flag: 'wx' });
    const isOurs = linkNew(whole, path);
    if (isOurs !== undefined) return isOurs;
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
 * Watches a lock of another container or host. The result says whether its holder is silent; undefined if not yet
 * known.
 */
function watch(folder: string, { onWait, silentMs = SILENT_MS, watchedMs = WATCHED_MS }: LockOptions) {
  let first: (Found & { until: number }) | undefined;
  return ({ pid, host }: Holder, { text, beat }: Found): boolean | undefined => {
    if (!first) {
      const wait = Math.max(watchedMs, silentMs - Math.max(0, Date.now() - beat));
      first = { text, beat, until: performance.now() + wait };
      const seconds = Math.ceil(wait / 1000);
      const who = `process ${pid} on ${JSON.stringify(host)}`;
      onWait?.(
        `${folder} is locked by ${who}. If it gives no sign of life for ${seconds} s, this run takes over.`,
      );
    }
    if (text !== first.text || beat !== first.beat) return false;
    return performance.now() > first.until ? true : undefined;
  };
}

/**
 * Checks that this thread still holds the lock. A machine that sleeps for minutes can lose it.
 *
 * @throws UserError if another process holds it
 */
export function assertLocked(folder: string): void {
  const path = join(folder, LOCK_FILE);
  const holder = holderIn(read(path)?.text ?? '');
  if (holder && !isSame(holder, thisOwner())) throw heldBy(holder, folder, path);
}

/**
 * Removes the lock that a thread of this process left, if any. If the system refuses, the lock stays. It no longer
 * counts after this process has ended.
 */
export function unlockFolder(folder: string, thread: number): void {
  const path = join(folder, LOCK_FILE);
  try {
    const holder = holderIn(read(path)?.text ?? '');
    if (holder && isSame(holder, { ...thisOwner(), thread })) rmSync(path, { force: true });
  } catch (error) {
    if (!fileError(error)) throw error;
  }
}

function isSame(a: Owner, b: Owner): boolean {
  return placeKey(a) === placeKey(b) && a.pid === b.pid && a.thread === b.thread && a.started === b.started;
}

/** Whether a running holder's launcher has ended. The system then gives the process another parent. */
function isEnding({ launcher, pid }: Holder): boolean {
  const parent = processStatus(pid)?.parent;
  return launcher !== undefined && parent !== undefined && parent !== launcher;
}

function holderIn(text: string): Holder | undefined {
  try {
    const { pid, host, ...rest } = JSON.parse(text);
    if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
    return { ...rest, pid, host: String(host) };
  } catch {
    return undefined;
  }
}

/** Reads a lock. Opens the file before it reads its time, because opening refreshes the time on a shared folder. */
function read(path: string): Found | undefined {
  try {
    const fd = openSync(path, 'r');
    try {
      return { beat: fstatSync(fd).mtimeMs, text: readFileSync(fd, 'utf8') };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function heldBy(holder: Holder | undefined, folder: string, path: string): UserError {
  const who = holder ? `process ${holder.pid} on ${JSON.stringify(holder.host)}` : 'another process';
  return new UserError({
    where: `output: ${folder}`,
    fault: `is in use by ${who}`,
    hint: `Wait for it, or choose another folder as output. If it no longer runs, remove ${path}.`,
    code: 'in_use',
  });
}
