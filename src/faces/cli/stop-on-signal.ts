/** The exit code of a stopped run, as in shells for Ctrl-C. */
export const STOPPED = 130;

/** SIGHUP is sent when the terminal is closed, perhaps several times. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Stop {
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
