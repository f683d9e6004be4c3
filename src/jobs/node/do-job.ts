import { isAgreed } from '../../parallel/agreed.ts';
import { joinProcesses, type Processes } from '../../parallel/node/join-processes.ts';
import type { RunConfig } from '../../run/config/run-config.ts';
import type { FinishEvent, TrainEvent } from '../../run/events.ts';
import { ComputationError } from '../../support/computation-error.ts';
import { fileError } from '../../support/file-error.ts';
import { UserError } from '../../support/user-error.ts';
import type { TextsInMemory } from '../rows-in-memory.ts';
import { runTraining } from './run-training.ts';

/** What a run's thread is started with. */
export interface WorkerJob {
  config: RunConfig;
  /** Data that lie in no file. */
  texts: TextsInMemory;
  resume: boolean;
  /** One element; anything but 0 asks for a stop. */
  stop: Int32Array<SharedArrayBuffer>;
}

/** What it sends: events, then either the result or the failure. */
export type WorkerMessage = { event: TrainEvent } | { result: FinishEvent } | { failure: Failure };

/** Errors lose their class on the way between threads. */
export interface Failure {
  message: string;
  stack?: string;
  kind: 'user' | 'computation' | 'fault';
  /** Whether all processes that share the run fail with it. */
  agreed: boolean;
}

/** Trains, and sends what happens meanwhile and what comes of it. */
export async function doJob(
  { config, texts, resume, stop }: WorkerJob,
  send: (message: WorkerMessage) => void,
): Promise<void> {
  let processes: Processes | undefined;
  try {
    processes = await joinProcesses();
    const result = await runTraining(config, {
      resume,
      texts,
      processes,
      onEvent: (event) => send({ event }),
      shouldStop: () => Atomics.load(stop, 0) !== 0,
    });
    processes.leave();
    send({ result });
  } catch (thrown) {
    const agreed = isAgreed(thrown);
    // Whom the others do not expect to go goes without taking leave: the launcher ends them.
    if (agreed) processes?.leave();
    const error = fileError(thrown) ?? (thrown as Error);
    const { message, stack } = error;
    send({ failure: { message, stack, kind: kindOf(error), agreed } });
  }
}

function kindOf(error: Error): Failure['kind'] {
  if (error instanceof UserError) return 'user';
  return error instanceof ComputationError ? 'computation' : 'fault';
}
