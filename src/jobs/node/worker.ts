import { parentPort, workerData } from 'node:worker_threads';
import type { RunConfig } from '../../run/config/run-config.ts';
import type { FinishEvent, TrainEvent } from '../../run/events.ts';
import { ComputationError } from '../../support/computation-error.ts';
import { fileError } from '../../support/file-error.ts';
import { UserError } from '../../support/user-error.ts';
import type { TextsInMemory } from '../rows-in-memory.ts';
import { runTraining } from './run-training.ts';

/** What the worker is started with. */
export interface WorkerJob {
  config: RunConfig;
  /** Data that lie in no file. */
  texts: TextsInMemory;
  resume: boolean;
  /** One element; anything but 0 asks for a stop. */
  stop: Int32Array<SharedArrayBuffer>;
}

/** What it sends: events, then either the result or the failure. */
export type WorkerMessage =
  | { event: TrainEvent }
  | { result: FinishEvent }
  | { failure: { message: string; stack?: string; kind: FailureKind } };

/** Errors lose their class on the way between threads. */
export type FailureKind = 'user' | 'computation' | 'fault';

const { config, texts, resume, stop } = workerData as WorkerJob;
const send = (message: WorkerMessage) => parentPort?.postMessage(message);

try {
  const result = await runTraining(config, {
    resume,
    texts,
    onEvent: (event) => send({ event }),
    shouldStop: () => Atomics.load(stop, 0) !== 0,
  });
  send({ result });
} catch (thrown) {
  const error = fileError(thrown) ?? (thrown as Error);
  const { message, stack } = error;
  send({ failure: { message, stack, kind: kindOf(error) } });
}

function kindOf(error: Error): FailureKind {
  if (error instanceof UserError) return 'user';
  return error instanceof ComputationError ? 'computation' : 'fault';
}
