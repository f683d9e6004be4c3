import { disableTelemetry } from '../../../engine/runtime/node/disable-telemetry.ts';
import { startThread, type Thread } from '../../../support/node/threads.ts';
import { SERVICE_ERRORS } from '../service/service-errors.ts';

/** Starts the thread for `startServing`. */
export function startServingThread(): Thread {
  disableTelemetry();
  const options = { name: 'serving thread', isBatched: true, classes: SERVICE_ERRORS };
  return startThread(new URL('./serving-thread.js', import.meta.url), options);
}
