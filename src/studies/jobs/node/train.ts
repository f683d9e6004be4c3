import { MessageChannel, Worker } from 'node:worker_threads';
import { disableTelemetry } from '../../../engine/runtime/node/disable-telemetry.ts';
import { unlockFolder } from '../../../input/store/node/folder-lock.ts';
import { markAgreed } from '../../../program/parallel/communicator.ts';
import { readyForMpi } from '../../../program/parallel/node/launch.ts';
import { threadArguments } from '../../../support/node/process-status.ts';
import { assertOptions, BOOLEAN, isObject } from '../../../support/options.ts';
import { revived, shown, UserError } from '../../../support/user-error.ts';
import { definingModules } from '../../../tasks/defining-modules.ts';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import type { ParsedConfig } from '../../../training/run/config/run-config.ts';
import type { FinishEvent } from '../../../training/run/events.ts';
import type { TrackedEvents } from '../../report/trackers/node/track-run.ts';
import type { Outcome } from '../../report/trackers/tracker.ts';
import { answerOwn, type RunCall } from '../answer-own.ts';
import { COMMON_TRAIN_OPTIONS, type CommonTrainOptions } from '../common-train-options.ts';
import { type ConfigWithRows, namedRows } from '../rows-in-memory.ts';
import { RunCallbacks } from '../run-callbacks.ts';
import type { JobFailure, OwnReply, WorkerJob, WorkerMessage } from './do-job.ts';
import { withAllErrors } from './with-all-errors.ts';
import type { Replies } from './worker.ts';

/** Options of {@link train}. */
export type TrainOptions = CommonTrainOptions<boolean>;

/** Runs a training in a thread, as the main entry describes. */
export async function train(config: ConfigWithRows, options: TrainOptions = {}): Promise<FinishEvent> {
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
  const isControlled = options.onStepEnd !== undefined;
  const resume = options.resume ?? false;
  const names = [...functions.keys()];
  const job: WorkerJob = { config: parsed, texts, functions: names, scores, isControlled, resume, stop };
  const { port1: replies, port2: port } = new MessageChannel();
  const count = new Int32Array(new SharedArrayBuffer(4));
  disableTelemetry();
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    ...threadArguments(),
    workerData: { ...job, modules: definingModules(), replies: { port, count } satisfies Replies },
    transferList: [port],
  });
  const { threadId } = worker;
  const reply = (value: OwnReply) => {
    replies.postMessage(value);
    Atomics.add(count, 0, 1);
    Atomics.notify(count, 0);
  };
  const failCall = (error: unknown) => {
    callbacks.fail(error);
    reply({ failed: true });
  };
  const answer = (call: RunCall) => {
    try {
      const value = answerOwn({ functions, metrics, callbacks }, call);
      if (value instanceof Promise) value.then((value) => reply({ value }), failCall);
      else reply({ value });
    } catch (error) {
      failCall(error);
    }
  };
  return new Promise<FinishEvent>((resolve, reject) => {
    // The thread may end while its last message is being handled.
    let isOver = false;
    const end = async (outcome: Outcome, settle: () => void) => {
      if (isOver) return;
      isOver = true;
      await tracked?.close(outcome);
      await callbacks.settle().then(settle, reject);
    };
    const fail = (error: Error) => void end('failed', () => reject(error));
    worker.on('message', (message: WorkerMessage) => {
      if ('result' in message) {
        const { result } = message;
        return void end(result.reason === 'stopped' ? 'stopped' : 'finished', () => resolve(result));
      }
      if ('call' in message) return answer(message.call);
      if ('failure' in message) return fail(errorOf(message.failure));
      lastStep = message.event.step;
      tracked?.show(message.event);
      callbacks.tell(message.event);
    });
    // For example if the thread is out of memory.
    worker.on('error', fail);
    worker.on('exit', (code) => {
      // A killed thread does not release its lock.
      unlockFolder(job.config.output, threadId);
      replies.close();
      fail(new Error(`the training thread ended with code ${code}`));
    });
  });
}

/** Starts the displays that `training.report_to` names. */
async function tracking(
  config: ParsedConfig,
  onFailure: (message: string) => void,
): Promise<TrackedEvents | undefined> {
  if (config.training.report_to === undefined) return undefined;
  const { trackRun } = await import('../../report/trackers/node/track-run.ts');
  return trackRun(config, process.env, onFailure);
}

function errorOf({ agreed, ...failure }: JobFailure): Error {
  const error = revived(failure);
  return agreed ? markAgreed(error) : error;
}
