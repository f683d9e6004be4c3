import { Worker } from 'node:worker_threads';
import { computeOwn } from '../../metrics/own-metrics.ts';
import { markAgreed } from '../../parallel/agreed.ts';
import { readyForMpi } from '../../parallel/node/launch.ts';
import type { TrackedEvents } from '../../report/trackers/node/track-run.ts';
import { parseRunConfig } from '../../run/config/parse-run-config.ts';
import type { ParsedConfig } from '../../run/config/run-config.ts';
import type { FinishEvent, TrainEvent } from '../../run/events.ts';
import { disableTelemetry } from '../../runtime/node/disable-telemetry.ts';
import { unlockFolder } from '../../store/node/folder-lock.ts';
import { revived } from '../../support/failure.ts';
import { threadArguments } from '../../support/node/thread-arguments.ts';
import { definingModules } from '../../tasks/defining-modules.ts';
import { checkedControl, type OnStepEnd, type StepState } from '../../train/step-control.ts';
import { type ConfigWithRows, namedRows } from '../rows-in-memory.ts';
import type { Answers, JobFailure, WorkerJob, WorkerMessage } from './do-job.ts';
import { withAllErrors } from './with-all-errors.ts';

export interface TrainOptions {
  /** Whether to continue the run in `output` from its newest checkpoint. */
  resume?: boolean | undefined;
  onEvent?: ((event: TrainEvent) => void) | undefined;
  /**
   * Called after each step, before any evaluation. Its result may end the run, evaluate, or change the
   * learning rate.
   */
  onStepEnd?: OnStepEnd | undefined;
  /** Aborting finishes the step, writes a checkpoint and ends the run with reason "stopped". */
  signal?: AbortSignal | undefined;
}

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
export async function train(
  config: ConfigWithRows,
  { resume = false, onEvent, onStepEnd, signal }: TrainOptions = {},
): Promise<FinishEvent> {
  readyForMpi(process.env);
  const { config: named, texts, functions, metrics } = await namedRows(config);
  const scores = Object.keys(metrics);
  const parsed = await withAllErrors(
    () => parseRunConfig(named, 'config', scores),
    undefined,
    Object.keys(texts),
  );
  let lastStep = 0;
  const tracked = await tracking(parsed, (message) => tell({ type: 'notice', step: lastStep, message }));
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const requestStop = () => Atomics.store(stop, 0, 1);
  signal?.addEventListener('abort', requestStop);
  if (signal?.aborted) requestStop();
  const isControlled = onStepEnd !== undefined;
  const job: WorkerJob = { config: parsed, texts, functions, scores, isControlled, resume, stop };
  disableTelemetry();
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    ...threadArguments(),
    workerData: { ...job, modules: definingModules() },
  });
  const { threadId } = worker;
  let mistake: { error: unknown } | undefined;
  const score = ([predictions, references]: Answers) =>
    computeOwn(metrics, predictions, references).then(
      (scores) => worker.postMessage({ scores }),
      (error) => {
        mistake ??= { error };
        worker.postMessage({});
      },
    );
  // After an error in the caller's code, the run stops as on a signal. Then it fails with this error.
  const onMistake = (error: unknown) => {
    mistake ??= { error };
    requestStop();
  };
  const control = async (state: StepState) => {
    try {
      worker.postMessage({ control: checkedControl(await onStepEnd?.(state)) });
    } catch (error) {
      onMistake(error);
      worker.postMessage({});
    }
  };
  // Pending calls of an asynchronous `onEvent`.
  let told: Promise<unknown> = Promise.resolve();
  function tell(event: TrainEvent): void {
    if (mistake) return;
    try {
      const returned: unknown = onEvent?.(event);
      if (returned instanceof Promise) {
        const handled = returned.catch(onMistake);
        told = told.then(() => handled);
      }
    } catch (error) {
      onMistake(error);
    }
  }
  // The thread may end while its last message is being handled.
  let isOver = false;
  return new Promise<FinishEvent>((resolve, reject) => {
    worker.on('message', (message: WorkerMessage) => {
      isOver ||= 'result' in message || 'failure' in message;
      if ('result' in message) {
        const { result } = message;
        const isTracked = tracked?.close(result.reason === 'stopped' ? 'stopped' : 'finished');
        return void Promise.all([told, isTracked]).then(() =>
          mistake ? reject(mistake.error) : resolve(result),
        );
      }
      if ('answers' in message) return score(message.answers);
      if ('stepEnd' in message) return void control(message.stepEnd);
      if ('failure' in message) {
        const error = mistake ? mistake.error : errorOf(message.failure);
        return void Promise.resolve(tracked?.close('failed')).then(() => reject(error));
      }
      lastStep = message.event.step;
      tracked?.show(message.event);
      tell(message.event);
    });
    worker.on('error', reject);
    worker.on('exit', (code) => {
      // A killed thread does not release its lock.
      unlockFolder(job.config.output, threadId);
      if (!isOver) void told.then(() => reject(new Error(`the training thread ended with code ${code}`)));
    });
  }).finally(() => signal?.removeEventListener('abort', requestStop));
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
