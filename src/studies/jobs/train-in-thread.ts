import { markAgreed } from '../../program/parallel/communicator.ts';
import type { Caller } from '../../support/calls/caller.ts';
import { definingModules } from '../../tasks/define-task.ts';
import type { FinishEvent, TrainEvent } from '../../training/run/events.ts';
import { answerOwn } from './answer-own.ts';
import type { OwnReply, TrainingJob, TrainingListener } from './answer-training.ts';
import type { CommonTrainOptions } from './common-train-options.ts';
import type { AskedRun } from './rows-in-memory.ts';
import { RunCallbacks } from './run-callbacks.ts';

/** Options of a training in a thread. */
export type TrainOptions = CommonTrainOptions<boolean>;

/** A thread that answers the call `train`. */
interface TrainingThread {
  caller: Pick<Caller, 'call'>;
  /** Asks for a stop after the current step. */
  stop(): void;
  /** Replies to a call of one of the caller's functions, for which the thread waits. */
  reply(value: OwnReply): void;
}

/**
 * Runs a training in another thread. The caller's functions are called in this one.
 *
 * @param start starts the thread
 * @param track starts the display that the config names
 */
export async function trainInThread(
  { config, texts, functions, metrics }: AskedRun,
  options: TrainOptions,
  start: () => TrainingThread,
  track: () => Promise<((event: TrainEvent) => void) | undefined>,
): Promise<FinishEvent> {
  let tracked = await track();
  const thread = start();
  const callbacks = new RunCallbacks(options, thread.stop);
  const job: TrainingJob = {
    config,
    texts,
    functions: [...functions.keys()],
    scores: Object.keys(metrics),
    isControlled: options.onStepEnd !== undefined,
    resume: options.resume ?? false,
    modules: definingModules(),
  };
  let isAgreed = false;
  const failCall = (error: unknown) => {
    callbacks.fail(error);
    thread.reply({ failed: true });
  };
  const listener: TrainingListener = {
    onEvent(event) {
      try {
        tracked?.(event);
      } catch (error) {
        // Any error, such as a full disk, ends only this display. If it concerns the training, that reports it too.
        tracked = undefined;
        const message = `training.report_to ends here: ${(error as Error).message}. Training continues.`;
        callbacks.tell({ type: 'notice', step: event.step, message });
      }
      callbacks.tell(event);
    },
    onCall(call) {
      try {
        const value = answerOwn({ functions, metrics, callbacks }, call);
        if (value instanceof Promise) value.then((value) => thread.reply({ value }), failCall);
        else thread.reply({ value });
      } catch (error) {
        failCall(error);
      }
    },
    onAgreed() {
      isAgreed = true;
    },
  };
  try {
    return await thread.caller.call<FinishEvent>('train', [job, listener]);
  } catch (error) {
    throw isAgreed ? markAgreed(error as Error) : error;
  } finally {
    // An error in the caller's functions replaces the outcome.
    await callbacks.settle();
  }
}
