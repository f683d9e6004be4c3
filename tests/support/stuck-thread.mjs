import { openSync } from 'node:fs';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';

/*
 * Preloaded into `adalora serve`: its serving thread never answers the call that closes it. It computes for ever, or waits
 * for ever for a disk (a pipe without a writer), which no other thread can end. With DYING_THREAD, it ends at the first
 * prediction instead.
 */

const { STUCK_PIPE, DYING_THREAD } = process.env;

// Threads that read adapters get their base model when they start.
if (!isMainThread && !workerData) {
  const { on } = parentPort;
  // A listener of its own would receive the first calls, before the thread listens.
  parentPort.on = (event, listener) =>
    on.call(parentPort, event, (calls) => {
      if (DYING_THREAD) {
        if (calls.some(({ method }) => method === 'predict')) process.exit(3);
      } else if (calls.some(({ method }) => method === 'close')) {
        if (STUCK_PIPE) openSync(STUCK_PIPE);
        for (;;);
      }
      listener(calls);
    });
}
