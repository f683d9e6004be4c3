import { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';
import type { RunCall } from '../../src/studies/jobs/answer-own.ts';
import { doJob, type OwnReply, type WorkerJob } from '../../src/studies/jobs/node/do-job.ts';
import type { Replies } from '../../src/studies/jobs/node/worker.ts';

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
        this.on('message', ({ event }) => {
          if (event?.type !== 'step' || event.step !== step) return;
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
function workHere({
  replies: { port },
  ...job
}: WorkerJob & { modules: unknown; replies: Replies }): EventEmitter {
  const worker = Object.assign(new EventEmitter(), { threadId: threads.threadId });
  const send = (message: object) => worker.emit('message', structuredClone(message));
  // The parent answers at once, unless one of its functions is asynchronous.
  const ask = (call: RunCall): OwnReply | Promise<OwnReply> => {
    send({ call });
    const reply = threads.receiveMessageOnPort(port);
    return reply ? reply.message : new Promise((answer) => port.once('message', answer));
  };
  doJob(structuredClone(job), send, ask)
    .then(
      () => worker.emit('exit', 0),
      (error) => worker.emit('error', error),
    )
    .finally(() => port.close());
  return worker;
}
