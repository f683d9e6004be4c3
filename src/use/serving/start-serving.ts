import type { CalledThread } from '../../support/calls/caller.ts';
import { definingModules } from '../../tasks/define-task.ts';
import { SERVICE_METHODS, type ServedCard, type Service } from './service/service.ts';
import type { ServingJob, ServingListener } from './serving-thread.ts';

/** The time for pending computations when the service is closed. Afterwards, the thread is terminated. */
const END_SECONDS = 8;

export interface StartedServing {
  service: Service;
  /** Name of the base model. */
  model: string;
  /** Names of the served models. The base is one of them if it is served. */
  names: string[];
  /** The kind of their inputs. */
  input: ServedCard['input'];
}

/**
 * Serves the adapters of folders from a separate thread. The engine blocks its thread while it computes, so the
 * caller's event loop stays free.
 *
 * @param thread answers `SERVING_METHODS`
 * @param onFault called when the thread has failed and no longer answers
 * @throws UserError for a base or folders that cannot be opened
 */
export function startServing(
  { worker, caller, ended }: CalledThread,
  job: Omit<ServingJob, 'modules'>,
  { onFault, ...listener }: Omit<ServingListener, 'onReady'> & { onFault(error: Error): void },
): Promise<StartedServing> {
  const methods = caller.remote<Service>(SERVICE_METHODS);
  let isClosed = false;
  async function close(): Promise<void> {
    isClosed = true;
    // The thread ends by itself, because terminating it while the engine runs may crash the process.
    let isTerminated = false;
    const late = setTimeout(() => {
      isTerminated = true;
      void worker.terminate();
    }, 1000 * END_SECONDS);
    try {
      await methods.close();
    } catch (error) {
      if (!isTerminated) throw error;
    } finally {
      await ended;
      clearTimeout(late);
    }
  }
  return new Promise((resolve, reject) => {
    let isReady = false;
    const onReady: ServingListener['onReady'] = (opened) => {
      isReady = true;
      resolve({ service: { ...methods, close }, ...opened });
    };
    const given: ServingJob = { ...job, modules: definingModules() };
    caller.call('serve', [given, { ...listener, onReady }]).catch((error: Error) => {
      if (!isReady) void worker.terminate();
      else if (!isClosed) onFault(error);
      reject(error);
    });
  });
}
