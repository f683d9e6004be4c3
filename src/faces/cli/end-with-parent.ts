import type { Socket } from 'node:net';
import { parentProcess } from '../../support/node/process-status.ts';

/** Time to stop gracefully. A step may take longer, but a killed run resumes from its last checkpoint. */
const PATIENCE_MS = 10_000;

/**
 * Stops this process when its parent ends for any reason: the system then closes standard input. Does nothing
 * if no parent process started this one.
 *
 * @param stop requests a graceful stop, which may take a few seconds
 */
export function endWithParent(stop: () => void): void {
  if (parentProcess() === undefined) return;
  const end = () => {
    stop();
    // process.exit would wait for the training thread, so the process kills itself.
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), PATIENCE_MS).unref();
  };
  process.stdin.once('end', end).once('error', end).resume();
  // Without this, the open standard input keeps a finished process alive.
  (process.stdin as Partial<Socket>).unref?.();
}
