import { statSync } from 'node:fs';
import { join } from 'node:path';
import { ADAPTER_FILES } from '../../../input/formats/adapters/adapter-files.ts';
import { startThread, type Thread } from '../../../support/node/threads.ts';
import { Turns } from '../../../support/turns.ts';
import { UserError } from '../../../support/user-error.ts';
import { SERVICE_ERRORS } from '../service/service-errors.ts';
import type { ReaderJob } from './adapter-thread.ts';
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
  readonly #start: (job: ReaderJob) => Thread;
  readonly #turns = new Turns();
  #thread: Thread | undefined;

  /**
   * @param baseBytes the size of the base model's weights
   * @param seconds the time for an adapter, besides the time for its bytes
   */
  constructor(job: ReaderJob, baseBytes: number, seconds = TIME.seconds, start = startReader) {
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
      const thread = this.#thread ?? this.#started();
      const late = new Error(`it takes longer than ${seconds} s`);
      const timer = setTimeout(() => this.#lose(thread, late), 1000 * seconds);
      try {
        return await thread.caller.call<AdapterContent>('read', [adapter]);
      } catch (error) {
        if (this.#thread === thread) throw error;
        throw new UserError({ where: folder, fault: `cannot be read: ${(error as Error).message}` });
      } finally {
        clearTimeout(timer);
      }
    });
  }

  close(): void {
    if (this.#thread) this.#lose(this.#thread, new Error('the server is stopping'));
  }

  #started(): Thread {
    const thread = this.#start(this.#job);
    this.#thread = thread;
    thread.worker.on('error', (error) => this.#lose(thread, error));
    thread.worker.on('exit', () => this.#lose(thread, new Error('its thread has ended')));
    return thread;
  }

  /** Gives up a thread, and the adapter that it reads. The next adapter gets another thread. */
  #lose({ worker, caller }: Thread, reason: Error): void {
    if (this.#thread?.worker !== worker) return;
    this.#thread = undefined;
    // A thread that waits for a disk does not end, so it must not keep the process alive.
    worker.unref();
    void worker.terminate();
    caller.fail(reason);
  }
}

function startReader(job: ReaderJob): Thread {
  return startThread(new URL('./adapter-thread.js', import.meta.url), {
    name: 'thread',
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    classes: SERVICE_ERRORS,
  });
}

function bytesOf(folder: string): number {
  const sizes = ADAPTER_FILES.map(
    (name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0,
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
