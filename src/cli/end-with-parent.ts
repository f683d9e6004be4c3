import type { Socket } from 'node:net';
import { parentProcess } from '../support/node/parent-process.ts';

/** A step may take longer. A run that is killed resumes from its last checkpoint. */
const PATIENCE_MS = 10_000;

/**
 * Stops this process when its parent has ended, however that ended: the system closes standard input then. Does nothing in a
 * process that has no such parent.
 *
 * @param stop asks for an end in order, which may take a few seconds
 */
export function endWithParent(stop: () => void): void {
  if (parentProcess() === undefined) return;
  const end = () => {
    stop();
    // Not process.exit, which waits for the training thread.
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), PATIENCE_MS).unref();
  };
  process.stdin.once('end', end).once('error', end).resume();
  // It must not keep a process that is done.
  (process.stdin as Partial<Socket>).unref?.();
}
