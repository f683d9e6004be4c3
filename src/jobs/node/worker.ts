import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { importModules } from '../../support/node/import-modules.ts';
import { doJob, type OwnReply } from './do-job.ts';

const reply = async (): Promise<OwnReply> => (await once(parentPort!, 'message'))[0];
await importModules(workerData);
await doJob(workerData, (message) => parentPort?.postMessage(message), reply);
