import { Worker } from 'node:worker_threads';

/** Interval at which the holder of a lock renews it. */
export const BEAT_MS = 5000;

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
