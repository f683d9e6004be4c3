import { Worker } from 'node:worker_threads';
import { parseRunConfig, type RunConfigInput } from '../../run/config/run-config.ts';
import type { FinishEvent, TrainEvent } from '../../run/events.ts';
import { UserError } from '../../support/user-error.ts';
import type { WorkerJob, WorkerMessage } from './worker.ts';

export interface TrainOptions {
  /** Continue the run in `output` from its newest checkpoint. */
  resume?: boolean;
  onEvent?: (event: TrainEvent) => void;
  /** Aborting finishes the step, writes a checkpoint and ends the run with reason "stopped". */
  signal?: AbortSignal;
}

/**
 * Fine-tunes a model as the config says and writes the run's folder. Works in a thread of its own: the engine computes
 * without yielding, and the caller's event loop stays free.
 *
 * @throws UserError for every mistake in config, data or model
 */
export function train(
  config: RunConfigInput,
  { resume = false, onEvent, signal }: TrainOptions = {},
): Promise<FinishEvent> {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const requestStop = () => Atomics.store(stop, 0, 1);
  signal?.addEventListener('abort', requestStop);
  if (signal?.aborted) requestStop();
  const workerData: WorkerJob = { config: parseRunConfig(config, 'config'), resume, stop };
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
  return new Promise<FinishEvent>((resolve, reject) => {
    worker.on('message', (message: WorkerMessage) => {
      if ('event' in message) onEvent?.(message.event);
      else if ('result' in message) resolve(message.result);
      else reject(revived(message.failure));
    });
    worker.on('error', reject);
    worker.on('exit', (code) => reject(new Error(`the training thread ended with code ${code}`)));
  }).finally(() => signal?.removeEventListener('abort', requestStop));
}

/** Errors lose their class on the way between threads. */
function revived({
  message,
  stack,
  isUserError,
}: {
  message: string;
  stack?: string;
  isUserError: boolean;
}): Error {
  if (isUserError) return new UserError(message);
  return Object.assign(new Error(message), { stack });
}
