import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { createPort } from '../../../support/node/threads.ts';
import { answerTraining } from '../answer-training.ts';
import { THIS_NODE } from './machine.ts';

/** The port of the caller's replies and the number of replies so far, and the request to stop. */
export interface SharedWithTraining {
  port: MessagePort;
  count: Int32Array<SharedArrayBuffer>;
  stop: Int32Array<SharedArrayBuffer>;
}

const { port, count, stop } = workerData as SharedWithTraining;
let calls = 0;

/** Waits for a reply: scores are needed in the middle of a step. */
function reply() {
  Atomics.wait(count, 0, calls++);
  return receiveMessageOnPort(port)!.message;
}

// Without the port, the thread ends when its work has ended.
answerTraining(THIS_NODE, createPort(parentPort!), { reply, stop }, () => parentPort!.unref());
