import { MessageChannel } from 'node:worker_threads';
import { disableTelemetry } from '../../../engine/runtime/node/disable-telemetry.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { unlockFolder } from '../../../input/store/node/folder-lock.ts';
import { readyForMpi } from '../../../program/parallel/launch.ts';
import { startThread } from '../../../support/node/threads.ts';
import { assertOptions, BOOLEAN, isObject } from '../../../support/options.ts';
import { shown, UserError } from '../../../support/user-error.ts';
import type { ParsedConfig, RunConfigInput } from '../../../training/run/config/run-config.ts';
import type { FinishEvent } from '../../../training/run/events.ts';
import type { OwnReply } from '../answer-training.ts';
import { COMMON_TRAIN_OPTIONS } from '../common-train-options.ts';
import { type AskedRun, askedRun } from '../rows-in-memory.ts';
import { type TrainOptions, trainInThread } from '../train-in-thread.ts';
import { THIS_NODE } from './machine.ts';
import type { SharedWithTraining } from './worker.ts';

/** Runs a training in a thread, as the main entry describes. */
export async function train(config: RunConfigInput, options: TrainOptions = {}): Promise<FinishEvent> {
  if (!isObject(config)) {
    const fault = `needs a config, such as { data: { train, text, label }, output }, got ${shown(config)}`;
    throw new UserError({ where: 'train', fault, code: 'invalid_config' });
  }
  assertOptions('train', options, { ...COMMON_TRAIN_OPTIONS, resume: BOOLEAN });
  return trainAsked(await askedRun(THIS_NODE, config, options?.signal), options);
}

/** Runs a training in a thread. Its config has been parsed. */
export async function trainAsked(asked: AskedRun, options: TrainOptions = {}): Promise<FinishEvent> {
  readyForMpi(process.env);
  const { config } = asked;
  return trainInThread(
    asked,
    options,
    () => startTraining(config.output),
    () => tracking(config),
  );
}

/** Starts a thread for a training. */
function startTraining(output: string): ReturnType<Parameters<typeof trainInThread>[2]> {
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
  void thread.ended.then(() => {
    // A killed thread does not release its lock.
    unlockFolder(output, threadId);
    replies.close();
  });
  return {
    caller: thread.caller,
    stop: () => void Atomics.store(stop, 0, 1),
    reply(value: OwnReply) {
      replies.postMessage(value);
      Atomics.add(count, 0, 1);
      Atomics.notify(count, 0);
    },
  };
}

/** Starts the displays that `training.report_to` names. */
async function tracking({ output, training }: ParsedConfig) {
  if (training.report_to === undefined) return undefined;
  const { eventFile } = await import('../../report/tensorboard/event-file.ts');
  return eventFile(folderFiles(output).within('tensorboard'), process.pid);
}
