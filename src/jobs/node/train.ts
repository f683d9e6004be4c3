import { Worker } from 'node:worker_threads';
import { computeOwn } from '../../metrics/own-metrics.ts';
import { markAgreed } from '../../parallel/agreed.ts';
import { readyForMpi } from '../../parallel/node/launch.ts';
import type { TrackedEvents } from '../../report/trackers/node/track-run.ts';
import type { Outcome } from '../../report/trackers/tracker.ts';
import { parseRunConfig } from '../../run/config/parse-run-config.ts';
import type { ParsedConfig } from '../../run/config/run-config.ts';
import type { FinishEvent } from '../../run/events.ts';
import { disableTelemetry } from '../../runtime/node/disable-telemetry.ts';
import { unlockFolder } from '../../store/node/folder-lock.ts';
import { revived } from '../../support/failure.ts';
import { threadArguments } from '../../support/node/thread-arguments.ts';
import { definingModules } from '../../tasks/defining-modules.ts';
import type { CommonTrainOptions } from '../common-train-options.ts';
import { type ConfigWithRows, namedRows } from '../rows-in-memory.ts';
import { RunCallbacks } from '../run-callbacks.ts';
import type { Answers, JobFailure, WorkerJob, WorkerMessage } from './do-job.ts';
import { withAllErrors } from './with-all-errors.ts';

/** Options of {@link train}. */
export type TrainOptions = CommonTrainOptions<boolean>;

/**
 * Fine-tunes a model according to a config and writes the run's folder. The data may be rows in memory. The
 * run has its own thread, because the engine computes without yielding, so the caller's event loop stays
 * free. Processes started by mpirun, mpiexec or srun share the run. Every process calls this function, and
 * each batch contains rows for all processes. Only process 0 reports events and writes files.
 *
 * @throws UserError for every mistake in config, data or model
 * @throws any error of `onEvent` or `onStepEnd`, after writing a checkpoint
 * @throws any error of your `metrics`, without a new checkpoint: resume from the previous one
 */
export async function train(config: ConfigWithRows, options: TrainOptions = {}): Promise<FinishEvent> {
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
  const job: WorkerJob = { config: parsed, texts, functions, scores, isControlled, resume, stop };
  disableTelemetry();
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    ...threadArguments(),
    workerData: { ...job, modules: definingModules() },
  });
  const { threadId } = worker;
  const score = ([predictions, references]: Answers) =>
    computeOwn(metrics, predictions, references).then(
      (scores) => worker.postMessage({ scores }),
      (error) => {
        callbacks.fail(error);
        worker.postMessage({});
      },
    );
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
      if ('answers' in message) return score(message.answers);
      if ('stepEnd' in message)
        return void callbacks.control(message.stepEnd).then((control) => worker.postMessage({ control }));
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
