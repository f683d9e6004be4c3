import { Worker } from 'node:worker_threads';

/** How often a lock's holder shows that it runs. */
export const BEAT_MS = 5000;

/** Writes the lock's own bytes, which sets its time by the clock of the disk's host. Ends when the lock is another's. */
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
 * Renews a lock's modification time from a thread of its own, as the engine computes without yielding for minutes. It ends with
 * the thread that starts it.
 *
 * @returns what stops it
 */
export function startHeartbeat(path: string, content: string, every = BEAT_MS): () => void {
  const worker = new Worker(BEAT, { eval: true, execArgv: [], workerData: { path, content, every } });
  worker.unref();
  // A lock without a heartbeat still holds on this host.
  worker.on('error', () => {});
  return () => void worker.terminate();
}
