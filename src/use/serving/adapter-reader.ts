import type { CalledThread } from '../../support/calls/caller.ts';
import { Turns } from '../../support/turns.ts';
import { UserError } from '../../support/user-error.ts';
import type { FoundAdapter } from './find-adapters.ts';
import type { AdapterContent } from './served-adapter.ts';

/** The time for an adapter, and the time for the bytes of its tensors and of its base, which may be hashed. */
const TIME = { seconds: 30, bytesPerSecond: 2 ** 25 };

/**
 * Reads adapters in a thread of its own, one after the other. An adapter that takes too long, or too much memory, is
 * rejected, and the thread is replaced. So no adapter can stop the thread that answers requests, or the other adapters.
 */
export class AdapterReader {
  readonly #start: () => CalledThread;
  readonly #bytesOf: (folder: string) => number;
  readonly #seconds: number;
  readonly #turns = new Turns();
  #thread: CalledThread | undefined;

  /**
   * @param start starts a thread that answers `read`
   * @param bytesOf returns the size of an adapter's tensors and of the base model's weights
   * @param seconds the time for an adapter, besides the time for its bytes
   */
  constructor(start: () => CalledThread, bytesOf: (folder: string) => number, seconds = TIME.seconds) {
    this.#start = start;
    this.#bytesOf = bytesOf;
    this.#seconds = seconds;
  }

  /** @throws UserError for an adapter that cannot be served */
  read(adapter: FoundAdapter): Promise<AdapterContent> {
    return this.#turns.run(async () => {
      const { folder } = adapter;
      const seconds = Math.ceil(this.#seconds + this.#bytesOf(folder) / TIME.bytesPerSecond);
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

  #started(): CalledThread {
    const thread = this.#start();
    this.#thread = thread;
    thread.worker.on('error', (error) => this.#lose(thread, error));
    thread.worker.on('exit', () => this.#lose(thread, new Error('its thread has ended')));
    return thread;
  }

  /** Gives up a thread, and the adapter that it reads. The next adapter gets another thread. */
  #lose({ worker, caller }: CalledThread, reason: Error): void {
    if (this.#thread?.worker !== worker) return;
    this.#thread = undefined;
    // A thread that waits for a disk does not end, so it must not keep the process alive.
    worker.unref();
    void worker.terminate();
    caller.fail(reason);
  }
}
