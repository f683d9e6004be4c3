import { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';
import { answerTraining, type OwnReply } from '../../src/studies/jobs/answer-training.ts';
import { THIS_NODE } from '../../src/studies/jobs/node/machine.ts';
import type { SharedWithTraining } from '../../src/studies/jobs/node/worker.ts';
import type { Message, Port } from '../../src/support/calls/caller.ts';

const { Worker } = threads;

/**
 * Lets `train` of the sources compute in this thread, until the returned function is called. A thread of its own loads
 * and compiles the program and the engine for each run, which takes longer than a run of a tiny model.
 */
export function trainHere(): () => void {
  replaceWorker(
    class {
      constructor(url: string | URL, options: threads.WorkerOptions) {
        const isTraining = String(url).endsWith('/jobs/node/worker.js');
        // biome-ignore lint/correctness/noConstructorReturn: only trainings are replaced
        return isTraining ? workHere(options.workerData) : new Worker(url, options);
      }
    },
  );
  return () => replaceWorker(Worker);
}

/** Lets the threads of `train` die at a step, as for lack of memory, until the returned function is called. */
export function loseThreadsAt(step: number, reason: Error): () => void {
  replaceWorker(
    class extends Worker {
      constructor(url: string | URL, options: threads.WorkerOptions) {
        super(url, options);
        this.on('message', ({ given }) => {
          if (given?.[0]?.type !== 'step' || given[0].step !== step) return;
          this.emit('error', reason);
          void this.terminate();
        });
      }
    },
  );
  return () => replaceWorker(Worker);
}

function replaceWorker(value: unknown): void {
  Object.assign(threads, { Worker: value });
  syncBuiltinESMExports();
}

/** A thread as its parent sees it. */
function workHere({ port, stop }: SharedWithTraining): EventEmitter {
  let listener: (message: Message) => void;
  const worker = Object.assign(new EventEmitter(), {
    threadId: threads.threadId,
    postMessage: (message: Message) => listener(structuredClone(message)),
  });
  // The parent answers at once, unless one of its functions is asynchronous.
  const reply = (): OwnReply | Promise<OwnReply> => {
    const reply = threads.receiveMessageOnPort(port);
    return reply ? reply.message : new Promise((answer) => port.once('message', answer));
  };
  const parent: Port = {
    send: (message) => void worker.emit('message', structuredClone(message)),
    onMessage(given) {
      listener = given;
    },
  };
  answerTraining(THIS_NODE, parent, { reply, stop }, () => {
    setImmediate(() => worker.emit('exit', 0));
    port.close();
  });
  return worker;
}
