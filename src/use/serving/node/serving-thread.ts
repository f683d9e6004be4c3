import { parentPort } from 'node:worker_threads';
import { answerParent, startThread } from '../../../support/node/threads.ts';
import { models } from '../../trained/node/load-model.ts';
import { SERVICE_ERRORS } from '../service/service-errors.ts';
import { SERVING_METHODS, servingThread } from '../serving-thread.ts';

/** Memory for everything but tensors. The largest config.json of an adapter takes 300 MB. */
const MAX_HEAP_MB = 1024;

const thread = servingThread({
  folders: models,
  startReader: (job) =>
    startThread(new URL('./adapter-thread.js', import.meta.url), {
      name: 'thread',
      workerData: job,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
      classes: SERVICE_ERRORS,
    }),
  // The port no longer keeps the thread alive.
  leave: () => parentPort?.unref(),
});

answerParent(thread, SERVING_METHODS, { isBatched: true, classes: SERVICE_ERRORS });
