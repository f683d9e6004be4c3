import type { OwnScores } from '../../../program/own-scores.ts';
import { isAgreed } from '../../../program/parallel/communicator.ts';
import { joinProcesses, type Processes } from '../../../program/parallel/node/join-processes.ts';
import { type Failure, failureOf, fileError } from '../../../support/user-error.ts';
import type { ParsedConfig } from '../../../training/run/config/run-config.ts';
import type { FinishEvent, TrainEvent } from '../../../training/run/events.ts';
import type { StepControl, StepState } from '../../../training/train/step-control.ts';
import type { RunCall } from '../answer-own.ts';
import type { TextsInMemory } from '../rows-in-memory.ts';
import { runTraining } from './run-training.ts';

export interface WorkerJob {
  config: ParsedConfig;
  texts: TextsInMemory;
  /** Names of the caller's functions, which the config contains. */
  functions: readonly string[];
  /** Names of custom scores. */
  scores: readonly string[];
  /** Whether the caller has an `onStepEnd`. */
  isControlled: boolean;
  resume: boolean;
  /** One element. Any value except 0 requests a stop. */
  stop: Int32Array<SharedArrayBuffer>;
}

/**
 * The thread's messages: events, and calls of the caller's functions, which get an {@link OwnReply}. The last message is
 * the result or the failure.
 */
export type WorkerMessage =
  | { event: TrainEvent }
  | { call: RunCall }
  | { result: FinishEvent }
  | { failure: JobFailure };

/** The result of a call, or none if the function failed. The caller then reports its error. */
export type OwnReply = { value: unknown } | { failed: true };

export interface JobFailure extends Failure {
  /** Whether all processes of the run fail with the same error. */
  agreed: boolean;
}

/**
 * Trains, and sends the events and the result.
 *
 * @param ask calls one of the caller's functions, which cannot be sent to this thread. Returns a promise only for calls
 * that {@link answerOwn} answers with one
 */
export async function doJob(
  { config, texts, functions, scores, isControlled, resume, stop }: WorkerJob,
  send: (message: WorkerMessage) => void,
  ask: (call: RunCall) => OwnReply | Promise<OwnReply>,
): Promise<void> {
  const ownScores: OwnScores = {
    names: scores,
    compute: async (predictions, references) =>
      resultOf(await ask({ what: 'metrics', predictions, references })) as Record<string, number>,
  };
  const onStepEnd = async (state: StepState) =>
    (resultOf(await ask({ what: 'stepEnd', state })) as StepControl | undefined) ?? {};
  let processes: Processes | undefined;
  try {
    processes = await joinProcesses();
    const result = await runTraining(config, {
      resume,
      texts,
      functions: { names: functions, call: (call) => resultOf(ask(call) as OwnReply) },
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

function resultOf(reply: OwnReply): unknown {
  if ('value' in reply) return reply.value;
  throw new Error("one of the caller's functions failed");
}
