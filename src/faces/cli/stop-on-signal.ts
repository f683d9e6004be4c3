import type { Socket } from 'node:net';
import { parentProcess } from '../../support/node/process-status.ts';

/** The exit code of a stopped run, as in shells for Ctrl-C. */
export const STOPPED = 130;

/** SIGHUP is sent when the terminal is closed, perhaps several times. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

interface Stop {
  /** Aborted by the first signal, or by `request`. */
  signal: AbortSignal;
  /** Requests the same stop as the first signal. */
  request(): void;
  release(): void;
}

/**
 * Handles SIGINT (Ctrl-C), SIGTERM and SIGHUP: the first signal aborts, a second SIGINT or SIGTERM ends the
 * process at once.
 */
export function stopOnSignal(onFirst: () => void): Stop {
  const controller = new AbortController();
  const request = () => {
    if (controller.signal.aborted) return;
    controller.abort();
    onFirst();
  };
  const release = () => {
    for (const signal of SIGNALS) process.off(signal, handle);
  };
  const handle = (signal: NodeJS.Signals) => {
    if (!controller.signal.aborted || signal === 'SIGHUP') return request();
    // process.exit would wait for the training thread to finish its step.
    release();
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.on(signal, handle);
  return { signal: controller.signal, request, release };
}

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
