import { isAgreed } from '../../parallel/agreed.ts';
import { joinProcesses, type Processes } from '../../parallel/node/join-processes.ts';
import type { ParsedConfig } from '../../run/config/run-config.ts';
import type { FinishEvent, TrainEvent } from '../../run/events.ts';
import { type Failure, failureOf } from '../../support/failure.ts';
import { fileError } from '../../support/file-error.ts';
import type { OwnFunctions } from '../../tuners/own-function.ts';
import type { TextsInMemory } from '../rows-in-memory.ts';
import { runTraining } from './run-training.ts';

/** What a run's thread is started with. */
export interface WorkerJob {
  config: ParsedConfig;
  /** Data that lie in no file. */
  texts: TextsInMemory;
  /** Functions that the config names. */
  functions: OwnFunctions;
  /** Names of the caller's own scores. */
  scores: readonly string[];
  resume: boolean;
  /** One element; anything but 0 asks for a stop. */
  stop: Int32Array<SharedArrayBuffer>;
}

/** Predictions and references, of which the caller computes scores of its own. */
export type Answers = [predictions: readonly unknown[], references: readonly unknown[]];

/** What it gets for them; nothing where a score has failed. */
export interface OwnReply {
  scores?: Record<string, number>;
}

/** What it sends: events, and answers to be scored; then either the result or the failure. */
export type WorkerMessage =
  | { event: TrainEvent }
  | { answers: Answers }
  | { result: FinishEvent }
  | { failure: JobFailure };

export interface JobFailure extends Failure {
  /** Whether all processes that share the run fail with it. */
  agreed: boolean;
}

/**
 * Trains, and sends what happens meanwhile and what comes of it.
 *
 * @param reply the next scores of the caller's own: functions cannot come into this thread, so what they are given goes out
 */
export async function doJob(
  { config, texts, functions, scores, resume, stop }: WorkerJob,
  send: (message: WorkerMessage) => void,
  reply: () => Promise<OwnReply>,
): Promise<void> {
  const ownScores = {
    names: scores,
    async compute(...answers: Answers) {
      send({ answers });
      const { scores: computed } = await reply();
      if (computed) return computed;
      throw new Error("one of the caller's scores failed");
    },
  };
  let processes: Processes | undefined;
  try {
    processes = await joinProcesses();
    const result = await runTraining(config, {
      resume,
      texts,
      functions,
      ownScores: scores.length > 0 ? ownScores : undefined,
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
    send({ failure: { ...failureOf(fileError(thrown) ?? (thrown as Error)), agreed } });
  }
}
