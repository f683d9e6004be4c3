import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { importModules } from '../../../support/node/process-status.ts';
import type { RunCall } from '../answer-own.ts';
import { doJob, type OwnReply, type WorkerMessage } from './do-job.ts';

/** The port of the caller's replies, and the number of replies so far. */
export interface Replies {
  port: MessagePort;
  count: Int32Array<SharedArrayBuffer>;
}

const { port, count } = (workerData as { replies: Replies }).replies;
const send = (message: WorkerMessage) => parentPort?.postMessage(message);
let calls = 0;

/** Calls a function of the caller, and waits for its reply: scores are needed in the middle of a step. */
function ask(call: RunCall): OwnReply {
  send({ call });
  Atomics.wait(count, 0, calls++);
  return receiveMessageOnPort(port)!.message;
}

await importModules(workerData);
await doJob(workerData, send, ask);
