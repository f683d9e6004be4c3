import { Worker } from 'node:worker_threads';
import { disableTelemetry } from '../../../engine/runtime/node/disable-telemetry.ts';
import { batched } from '../../../support/arrays.ts';
import { threadArguments } from '../../../support/node/process-status.ts';
import { definingModules } from '../../../tasks/defining-modules.ts';
import { revivedError } from '../service/plain-error.ts';
import { RemoteService } from '../service/remote-service.ts';
import type { ModelCard, Service } from '../service/service.ts';
import type { ServingJob, ServingMessage } from './serving-thread.ts';

/** Receives events of the serving thread. */
export interface ServingListener {
  progress(progress: Extract<ServingMessage, { progress: unknown }>['progress']): void;
  event(event: Extract<ServingMessage, { event: unknown }>['event']): void;
  run(run: Extract<ServingMessage, { run: unknown }>['run']): void;
  /** Called when the thread has failed and no longer answers. */
  fault(error: Error): void;
}

/** The time for pending computations when the service is closed. Afterwards, the thread is terminated. */
const END_SECONDS = 8;

export interface StartedServing {
  service: Service;
  /** Name of the base model. */
  model: string;
  /** Number of served models. It includes the base if it is served. */
  models: number;
  /** What they read. */
  input: ModelCard['input'];
}

/**
 * Serves the adapters of folders from a separate thread. The engine blocks its thread while it computes, so the
 * caller's event loop stays free.
 *
 * @throws UserError for a base or folders that cannot be opened
 */
export function startServing(
  job: Omit<ServingJob, 'modules'>,
  listener: ServingListener,
): Promise<StartedServing> {
  disableTelemetry();
  const worker = new Worker(new URL('./serving-thread.js', import.meta.url), {
    ...threadArguments(),
    workerData: { ...job, modules: definingModules() } satisfies ServingJob,
  });
  const remote = new RemoteService({
    send: batched((calls) => worker.postMessage(calls), setImmediate),
    onMessage(listener) {
      worker.on('message', (message: ServingMessage) => {
        if ('replies' in message) message.replies.forEach(listener);
      });
    },
  });
  let isClosed = false;
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      remote.fail(error);
      reject(error);
      if (!isClosed) listener.fault(error);
    };
    worker.on('message', (message: ServingMessage) => {
      if ('progress' in message) listener.progress(message.progress);
      else if ('event' in message) listener.event(message.event);
      else if ('run' in message) listener.run(message.run);
      else if ('failure' in message) reject(revivedError(message.failure));
      else if ('ready' in message) resolve({ service, ...message.ready });
    });
    worker.on('error', fail);
    worker.on('exit', (code) => fail(new Error(`the serving thread ended with code ${code}`)));
    const service: Service = Object.assign(remote, {
      async close() {
        isClosed = true;
        // The thread ends by itself, because terminating it while the engine runs may crash the process.
        let isTerminated = false;
        const late = setTimeout(() => {
          isTerminated = true;
          void worker.terminate();
        }, 1000 * END_SECONDS);
        try {
          await RemoteService.prototype.close.call(remote);
        } catch (error) {
          if (!isTerminated) throw error;
        } finally {
          await ended;
          clearTimeout(late);
        }
      },
    });
  });
}
