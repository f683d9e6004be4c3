import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ADAPTER_FILES } from '../../../input/formats/adapters/adapter-files.ts';
import { threadArguments } from '../../../support/node/process-status.ts';
import { Turns } from '../../../support/turns.ts';
import { UserError } from '../../../support/user-error.ts';
import { revivedError } from '../service/plain-error.ts';
import type { ReaderJob, ReaderMessage } from './adapter-thread.ts';
import type { FoundAdapter } from './find-adapters.ts';
import type { AdapterContent } from './read-adapter.ts';

/** The time for an adapter, and the time for the bytes of its tensors and of its base, which may be hashed. */
const TIME = { seconds: 30, bytesPerSecond: 2 ** 25 };
/** Memory for everything but tensors. The largest config.json of an adapter takes 300 MB. */
const MAX_HEAP_MB = 1024;

/**
 * Reads adapters in a thread of its own, one after the other. An adapter that takes too long, or too much memory, is
 * rejected, and the thread is replaced. So no adapter can stop the thread that answers requests, or the other adapters.
 */
export class AdapterReader {
  readonly #job: ReaderJob;
  readonly #baseBytes: number;
  readonly #seconds: number;
  readonly #start: (job: ReaderJob) => Worker;
  readonly #turns = new Turns();
  #worker: Worker | undefined;
  #settle: ((result: ReaderMessage | Error) => void) | undefined;

  /**
   * @param baseBytes the size of the base model's weights
   * @param seconds the time for an adapter, besides the time for its bytes
   */
  constructor(job: ReaderJob, baseBytes: number, seconds = TIME.seconds, start = startThread) {
    this.#job = job;
    this.#baseBytes = baseBytes;
    this.#seconds = seconds;
    this.#start = start;
  }

  /** @throws UserError for an adapter that cannot be served */
  read(adapter: FoundAdapter): Promise<AdapterContent> {
    return this.#turns.run(async () => {
      const { folder } = adapter;
      const seconds = Math.ceil(this.#seconds + (this.#baseBytes + bytesOf(folder)) / TIME.bytesPerSecond);
      const result = await this.#ask(adapter, seconds);
      if (result instanceof Error)
        throw new UserError({ where: folder, fault: `cannot be read: ${result.message}` });
      if ('failure' in result) throw revivedError(result.failure);
      return result.content;
    });
  }

  close(): void {
    this.#lose(this.#worker, new Error('the server is stopping'));
  }

  async #ask(adapter: FoundAdapter, seconds: number): Promise<ReaderMessage | Error> {
    const worker = this.#worker ?? this.#started();
    const late = new Error(`it takes longer than ${seconds} s`);
    const timer = setTimeout(() => this.#lose(worker, late), 1000 * seconds);
    try {
      return await new Promise((resolve) => {
        this.#settle = resolve;
        worker.postMessage(adapter);
      });
    } finally {
      clearTimeout(timer);
      this.#settle = undefined;
    }
  }

  #started(): Worker {
    const worker = this.#start(this.#job);
    this.#worker = worker;
    worker.on('message', (message: ReaderMessage) => this.#worker === worker && this.#settle?.(message));
    worker.on('error', (error) => this.#lose(worker, error));
    worker.on('exit', () => this.#lose(worker, new Error('its thread has ended')));
    return worker;
  }

  /** Gives up a thread, and the adapter that it reads. The next adapter gets another thread. */
  #lose(worker: Worker | undefined, reason: Error): void {
    if (!worker || this.#worker !== worker) return;
    this.#worker = undefined;
    // A thread that waits for a disk does not end, so it must not keep the process alive.
    worker.unref();
    void worker.terminate();
    this.#settle?.(reason);
  }
}

function startThread(job: ReaderJob): Worker {
  return new Worker(new URL('./adapter-thread.js', import.meta.url), {
    ...threadArguments(),
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
}

function bytesOf(folder: string): number {
  const sizes = ADAPTER_FILES.map(
    (name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0,
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
