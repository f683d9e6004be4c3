import type { OwnScores } from '../../program/own-scores.ts';
import { isAgreed, type Processes } from '../../program/parallel/communicator.ts';
import { answerCalls } from '../../support/calls/answer-calls.ts';
import type { Port } from '../../support/calls/caller.ts';
import { importModules } from '../../support/import-modules.ts';
import type { ParsedConfig } from '../../training/run/config/run-config.ts';
import type { FinishEvent, TrainEvent } from '../../training/run/events.ts';
import type { StepControl, StepState } from '../../training/train/step-control.ts';
import type { FolderMachine } from './machine.ts';
import type { RunCall, TextsInMemory } from './rows-in-memory.ts';
import { runInFolder } from './run-in-folder.ts';

/** A training for another thread. */
export interface TrainingJob {
  config: ParsedConfig;
  texts: TextsInMemory;
  /** Names of the caller's functions, which the config contains. */
  functions: readonly string[];
  /** Names of custom scores. */
  scores: readonly string[];
  /** Whether the caller has an `onStepEnd`. */
  isControlled: boolean;
  resume: boolean;
  /** Modules that define methods and tasks. */
  modules: readonly string[];
}

/** The caller's side of a training in another thread. */
export interface TrainingListener {
  onEvent(event: TrainEvent): void;
  /** Calls one of the caller's functions. The thread waits for its {@link OwnReply}. */
  onCall(call: RunCall): void;
  /** Called before an error with which all processes of the run fail. */
  onAgreed(): void;
}

/** The result of a call, or none if the function failed. The caller then reports its error. */
export type OwnReply = { value: unknown } | { failed: true };

/** Replies and the request to stop, which a training reads without receiving messages. */
interface TrainingWaits {
  /** The reply to the last call. A promise only for calls that `answerOwn` answers with one. */
  reply(): OwnReply | Promise<OwnReply>;
  /** One element. Any value except 0 requests a stop. */
  stop: Int32Array<SharedArrayBuffer>;
}

/**
 * Answers a call of `train` at the other end of a port.
 *
 * @param onEnd called when the training has ended
 */
export function answerTraining(
  machine: FolderMachine,
  port: Port,
  waits: TrainingWaits,
  onEnd: () => void,
): void {
  const train = (job: TrainingJob, listener: TrainingListener) =>
    doJob(machine, job, listener, waits).finally(onEnd);
  answerCalls({ train }, ['train'], port);
}

async function doJob(
  machine: FolderMachine,
  { config, texts, functions, scores, isControlled, resume, modules }: TrainingJob,
  { onEvent, onCall, onAgreed }: TrainingListener,
  { reply, stop }: TrainingWaits,
): Promise<FinishEvent> {
  const ask = (call: RunCall) => {
    onCall(call);
    return reply();
  };
  const ownScores: OwnScores = {
    names: scores,
    compute: async (predictions, references) =>
      readResult(await ask({ what: 'metrics', predictions, references })) as Record<string, number>,
  };
  const onStepEnd = async (state: StepState) =>
    (readResult(await ask({ what: 'stepEnd', state })) as StepControl | undefined) ?? {};
  let processes: Processes | undefined;
  try {
    await importModules({ modules });
    processes = await machine.joinProcesses();
    const result = await runInFolder(machine, config, {
      resume,
      texts,
      functions: { names: functions, call: (call) => readResult(ask(call) as OwnReply) },
      ownScores: scores.length > 0 ? ownScores : undefined,
      processes,
      onStepEnd: isControlled ? onStepEnd : undefined,
      onEvent,
      shouldStop: () => Atomics.load(stop, 0) !== 0,
    });
    processes.leave();
    return result;
  } catch (thrown) {
    // If other processes are not failing too, skip MPI_Finalize: the launcher ends them.
    if (isAgreed(thrown)) {
      processes?.leave();
      onAgreed();
    }
    throw thrown;
  }
}

function readResult(reply: OwnReply): unknown {
  if ('value' in reply) return reply.value;
  throw new Error("one of the caller's functions failed");
}
