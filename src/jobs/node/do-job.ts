import { isAgreed } from '../../parallel/agreed.ts';
import { joinProcesses, type Processes } from '../../parallel/node/join-processes.ts';
import type { ParsedConfig } from '../../run/config/run-config.ts';
import type { FinishEvent, TrainEvent } from '../../run/events.ts';
import { type Failure, failureOf } from '../../support/failure.ts';
import { fileError } from '../../support/file-error.ts';
import type { StepControl, StepState } from '../../train/step-control.ts';
import type { OwnFunctions } from '../../tuners/own-function.ts';
import type { TextsInMemory } from '../rows-in-memory.ts';
import { runTraining } from './run-training.ts';

export interface WorkerJob {
  config: ParsedConfig;
  texts: TextsInMemory;
  /** The caller's functions; the config contains their names. */
  functions: OwnFunctions;
  /** Names of custom scores. */
  scores: readonly string[];
  /** Whether the caller has an `onStepEnd`. */
  isControlled: boolean;
  resume: boolean;
  /** One element. Any value except 0 requests a stop. */
  stop: Int32Array<SharedArrayBuffer>;
}

/** Predictions and references. The caller computes its custom scores from them. */
export type Answers = [predictions: readonly unknown[], references: readonly unknown[]];

/** The caller's reply; empty if the caller's function failed. */
export interface OwnReply {
  scores?: Record<string, number>;
  control?: StepControl;
}

/**
 * The thread's messages: events, answers to score, and ends of steps. The last message is the result or the
 * failure.
 */
export type WorkerMessage =
  | { event: TrainEvent }
  | { answers: Answers }
  | { stepEnd: StepState }
  | { result: FinishEvent }
  | { failure: JobFailure };

export interface JobFailure extends Failure {
  /** Whether all processes of the run fail with the same error. */
  agreed: boolean;
}

/**
 * Trains, and sends the events and the result.
 *
 * @param reply returns the caller's next reply; the caller's functions cannot be sent to this thread, so
 * their arguments are sent to the caller
 */
export async function doJob(
  { config, texts, functions, scores, isControlled, resume, stop }: WorkerJob,
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
  const onStepEnd = async (stepEnd: StepState): Promise<StepControl> => {
    send({ stepEnd });
    return (await reply()).control ?? {};
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
      onStepEnd: isControlled ? onStepEnd : undefined,
      onEvent: (event) => send({ event }),
      shouldStop: () => Atomics.load(stop, 0) !== 0,
    });
    processes.leave();
    send({ result });
  } catch (thrown) {
    const agreed = isAgreed(thrown);
    // If other processes are not failing too, skip MPI_Finalize: the launcher ends them.
    if (agreed) processes?.leave();
    send({ failure: { ...failureOf(fileError(thrown) ?? (thrown as Error)), agreed } });
  }
}
