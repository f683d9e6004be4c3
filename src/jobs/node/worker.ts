import { parentPort, workerData } from 'node:worker_threads';
import { doJob } from './do-job.ts';

await doJob(workerData, (message) => parentPort?.postMessage(message));
