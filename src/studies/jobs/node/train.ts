import { MessageChannel } from 'node:worker_threads';
import { disableTelemetry } from '../../../engine/runtime/node/disable-telemetry.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { unlockFolder } from '../../../input/store/node/folder-lock.ts';
import { markAgreed } from '../../../program/parallel/communicator.ts';
import { readLaunch, readyForMpi } from '../../../program/parallel/launch.ts';
import type { Caller } from '../../../support/calls/caller.ts';
import { startThread } from '../../../support/node/threads.ts';
import { assertOptions, BOOLEAN, isObject } from '../../../support/options.ts';
import { shown, UserError } from '../../../support/user-error.ts';
import { definingModules } from '../../../tasks/define-task.ts';
import type { ParsedConfig, RunConfigInput } from '../../../training/run/config/run-config.ts';
import type { FinishEvent, TrainEvent } from '../../../training/run/events.ts';
import type { OwnReply, TrainingJob, TrainingListener } from '../answer-training.ts';
import { type AskedRun, answerOwn, askedRun } from '../rows-in-memory.ts';
import { COMMON_TRAIN_OPTIONS, type CommonTrainOptions, RunCallbacks } from '../run-callbacks.ts';
import type { SharedWithTraining } from './worker.ts';

/** Options of a training in a thread. */
export type TrainOptions = CommonTrainOptions<boolean>;

/** A thread that answers the call `train`. */
interface TrainingThread {
  caller: Pick<Caller, 'call'>;
  /** Asks for a stop after the current step. */
  stop(): void;
  /** Ends the thread at once. */
  end(): Promise<unknown>;
  /** Replies to a call of one of the caller's functions, for which the thread waits. */
  reply(value: OwnReply): void;
}

/** Runs a training in a thread, as the main entry describes. */
export async function train(config: RunConfigInput, options: TrainOptions = {}): Promise<FinishEvent> {
  if (!isObject(config)) {
    const fault = `needs a config, such as { data: { train, text, label }, output }, got ${shown(config)}`;
    throw new UserError({ where: 'train', fault, code: 'invalid_config' });
  }
  assertOptions('train', options, { ...COMMON_TRAIN_OPTIONS, resume: BOOLEAN });
  return trainAsked(await askedRun(config, options?.signal), options);
}

/** Runs a training in a thread. Its config has been parsed. The caller's functions are called in this thread. */
export async function trainAsked(
  { config, texts, functions, metrics }: AskedRun,
  options: TrainOptions = {},
): Promise<FinishEvent> {
  readyForMpi(process.env);
  const track = await tracking(config);
  const thread = startTraining(config.output);
  // Until a run begins, it writes nothing, and the thread may be parsing a file, which hears no request. Several
  // processes must agree on a stop.
  let isBegun = readLaunch(process.env) !== undefined;
  const callbacks = new RunCallbacks(options, () => (isBegun ? thread.stop() : void thread.end()));
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
      isBegun ||= event.type === 'start';
      const message = track(event);
      if (message !== undefined) callbacks.tell({ type: 'notice', step: event.step, message });
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
    if (!isBegun) options.signal?.throwIfAborted();
    throw isAgreed ? markAgreed(error as Error) : error;
  } finally {
    // An error in the caller's functions replaces the outcome.
    await callbacks.settle();
  }
}

/** Starts a thread for a training. */
function startTraining(output: string): TrainingThread {
  disableTelemetry();
  const { port1: replies, port2: port } = new MessageChannel();
  const count = new Int32Array(new SharedArrayBuffer(4));
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const thread = startThread(new URL('./worker.js', import.meta.url), {
    name: 'training thread',
    workerData: { port, count, stop } satisfies SharedWithTraining,
    transferList: [port],
  });
  const { threadId } = thread.worker;
  const ended = thread.ended.then(() => {
    // A killed thread does not release its lock.
    unlockFolder(output, threadId);
    replies.close();
  });
  return {
    caller: thread.caller,
    stop: () => void Atomics.store(stop, 0, 1),
    end: () => thread.worker.terminate().then(() => ended),
    reply(value: OwnReply) {
      replies.postMessage(value);
      Atomics.add(count, 0, 1);
      Atomics.notify(count, 0);
    },
  };
}

/**
 * Starts the display that `training.report_to` names. Any error, such as a full disk, ends only this display and is
 * returned as a message. If it concerns the training, that reports it too.
 */
async function tracking({
  output,
  training,
}: ParsedConfig): Promise<(event: TrainEvent) => string | undefined> {
  if (training.report_to === undefined) return () => undefined;
  const { eventFile } = await import('../../report/tensorboard/event-file.ts');
  let add: ((event: TrainEvent) => void) | undefined = eventFile(
    folderFiles(output).within('tensorboard'),
    process.pid,
  );
  return (event) => {
    try {
      add?.(event);
      return undefined;
    } catch (error) {
      add = undefined;
      return `training.report_to ends here: ${(error as Error).message}. Training continues.`;
    }
  };
}
