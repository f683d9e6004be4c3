import { type MessagePort, parentPort, Worker, type WorkerOptions } from 'node:worker_threads';
import { answerCalls } from '../calls/answer-calls.ts';
import { type CalledThread, Caller, type Message, type Port } from '../calls/caller.ts';
import { batched } from '../queue.ts';
import { ComputationError, type ErrorClasses } from '../user-error.ts';

interface StartOptions
  extends Pick<WorkerOptions, 'workerData' | 'transferList' | 'resourceLimits' | 'eval'> {
  /** The name of the thread in messages. */
  name: string;
  /** Whether calls in one turn of the event loop share a message, because each message has a cost. */
  isBatched?: boolean;
  /** Classes that errors of the thread keep. */
  classes?: ErrorClasses;
}

/** A thread of Node that answers calls. */
export interface Thread extends CalledThread {
  worker: Worker;
}

/**
 * Starts a file of the package in a thread. Calls fail once the thread has ended.
 *
 * @param file starts with {@link answerParent}
 */
export function startThread(
  file: URL | string,
  { name, isBatched, classes, ...options }: StartOptions,
): Thread {
  // A thread inherits the flag `--input-type` of a program that was passed as text. Node would then refuse to run a file.
  const isText = process.execArgv.some((word) => word.startsWith('--input-type'));
  const worker = new Worker(file, { ...(isText && { execArgv: [] }), ...options });
  const caller = new Caller(createPort(worker, isBatched), classes);
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.on('error', (error: NodeJS.ErrnoException) => {
    const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    caller.fail(isMemory ? new ComputationError(`the ${name} ran out of memory`, 'out_of_memory') : error);
  });
  worker.on('exit', (code) => caller.fail(new ComputationError(`the ${name} ended with code ${code}`)));
  return { worker, caller, ended };
}

/** Answers the calls of the thread that started this one. */
export function answerParent<T extends object>(
  target: T,
  methods: readonly (keyof T & string)[],
  { isBatched, classes }: Pick<StartOptions, 'isBatched' | 'classes'> = {},
): void {
  answerCalls(target, methods, createPort(parentPort!, isBatched), classes);
}

/** The port of a thread. Its messages may be lists of messages. */
export function createPort(end: Pick<MessagePort | Worker, 'on' | 'postMessage'>, isBatched = false): Port {
  return {
    send: isBatched
      ? batched((messages) => end.postMessage(messages), setImmediate)
      : (message, transfer) => end.postMessage(message, transfer),
    onMessage(listener) {
      end.on('message', (received: Message | Message[]) => [received].flat().forEach(listener));
    },
  };
}
