import { basename, resolve } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { disableTelemetry } from '../../../engine/runtime/node/disable-telemetry.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { unlockFolder } from '../../../input/store/node/folder-lock.ts';
import { markAgreed } from '../../../program/parallel/communicator.ts';
import { readyForMpi } from '../../../program/parallel/node/launch.ts';
import { startThread, type Thread } from '../../../support/node/threads.ts';
import { assertOptions, BOOLEAN, isObject } from '../../../support/options.ts';
import { shown, UserError } from '../../../support/user-error.ts';
import { definingModules } from '../../../tasks/define-task.ts';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import type { ParsedConfig, RunConfigInput } from '../../../training/run/config/run-config.ts';
import type { FinishEvent } from '../../../training/run/events.ts';
import type { TrackedEvents } from '../../report/trackers/track-run.ts';
import type { Outcome } from '../../report/trackers/tracker-queue.ts';
import { answerOwn } from '../answer-own.ts';
import { COMMON_TRAIN_OPTIONS, type CommonTrainOptions } from '../common-train-options.ts';
import { namedRows } from '../rows-in-memory.ts';
import { RunCallbacks } from '../run-callbacks.ts';
import type { OwnReply, TrainingListener, WorkerJob } from './do-job.ts';
import { withAllErrors } from './with-all-errors.ts';
import type { SharedWithTraining } from './worker.ts';

/** Options of {@link train}. */
export type TrainOptions = CommonTrainOptions<boolean>;

/** Runs a training in a thread, as the main entry describes. */
export async function train(config: RunConfigInput, options: TrainOptions = {}): Promise<FinishEvent> {
  if (!isObject(config)) {
    const fault = `needs a config, such as { data: { train, text, label }, output }, got ${shown(config)}`;
    throw new UserError({ where: 'train', fault, code: 'invalid_config' });
  }
  assertOptions('train', options, { ...COMMON_TRAIN_OPTIONS, resume: BOOLEAN });
  readyForMpi(process.env);
  const { config: named, texts, functions, metrics } = await namedRows(config);
  const scores = Object.keys(metrics);
  const parsed = await withAllErrors(
    () => parseRunConfig(named, 'config', scores),
    undefined,
    Object.keys(texts),
  );
  let lastStep = 0;
  const tracked = await tracking(parsed, (message) =>
    callbacks.tell({ type: 'notice', step: lastStep, message }),
  );
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const callbacks = new RunCallbacks(options, () => Atomics.store(stop, 0, 1));
  const job: WorkerJob = {
    config: parsed,
    texts,
    functions: [...functions.keys()],
    scores,
    isControlled: options.onStepEnd !== undefined,
    resume: options.resume ?? false,
    modules: definingModules(),
  };
  let isAgreed = false;
  const { thread, reply } = startTraining(parsed.output, stop);
  const failCall = (error: unknown) => {
    callbacks.fail(error);
    reply({ failed: true });
  };
  const listener: TrainingListener = {
    onEvent(event) {
      lastStep = event.step;
      tracked?.show(event);
      callbacks.tell(event);
    },
    onCall(call) {
      try {
        const value = answerOwn({ functions, metrics, callbacks }, call);
        if (value instanceof Promise) value.then((value) => reply({ value }), failCall);
        else reply({ value });
      } catch (error) {
        failCall(error);
      }
    },
    onAgreed() {
      isAgreed = true;
    },
  };
  let outcome: Outcome = 'failed';
  try {
    const result = await thread.caller.call<FinishEvent>('train', [job, listener]);
    outcome = result.reason === 'stopped' ? 'stopped' : 'finished';
    return result;
  } catch (error) {
    throw isAgreed ? markAgreed(error as Error) : error;
  } finally {
    await tracked?.close(outcome);
    // An error in the caller's functions replaces the outcome.
    await callbacks.settle();
  }
}

/** Starts a thread for a training. `reply` answers the calls of the caller's functions, for which the thread waits. */
function startTraining(
  output: string,
  stop: SharedWithTraining['stop'],
): { thread: Thread; reply(value: OwnReply): void } {
  disableTelemetry();
  const { port1: replies, port2: port } = new MessageChannel();
  const count = new Int32Array(new SharedArrayBuffer(4));
  const thread = startThread(new URL('./worker.js', import.meta.url), {
    name: 'training thread',
    workerData: { port, count, stop } satisfies SharedWithTraining,
    transferList: [port],
  });
  const { threadId } = thread.worker;
  void thread.ended.then(() => {
    // A killed thread does not release its lock.
    unlockFolder(output, threadId);
    replies.close();
  });
  const reply = (value: OwnReply) => {
    replies.postMessage(value);
    Atomics.add(count, 0, 1);
    Atomics.notify(count, 0);
  };
  return { thread, reply };
}

/** Starts the displays that `training.report_to` names. */
async function tracking(
  config: ParsedConfig,
  onFailure: (message: string) => void,
): Promise<TrackedEvents | undefined> {
  if (config.training.report_to === undefined) return undefined;
  const { trackRun } = await import('../../report/trackers/track-run.ts');
  const { output } = config;
  const run = { folder: folderFiles(output), name: basename(resolve(output)), writer: process.pid };
  return trackRun(config, run, process.env, onFailure);
}
