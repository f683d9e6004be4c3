import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { doJob, type OwnReply } from './do-job.ts';

const reply = async (): Promise<OwnReply> => (await once(parentPort!, 'message'))[0];
await doJob(workerData, (message) => parentPort?.postMessage(message), reply);
