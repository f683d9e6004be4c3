import type { LanguageModel } from '../../generation/language-model.ts';
import { Overloaded } from '../overloaded.ts';

type Opened = LanguageModel & { release(): Promise<void> };

interface Kept {
  model: Promise<Opened>;
  /** Ends when those who came before have ended. */
  last: Promise<unknown>;
  users: number;
}

/** Language models of adapters that share no batch: a few are open, those used lately, and each does one thing at a time. */
export class OwnModels {
  readonly #most: number;
  readonly #maxQueued: number;
  /** The least recently used first. */
  readonly #kept = new Map<object, Kept>();
  #waiting = 0;

  /**
   * @param most models that stay open
   * @param maxQueued uses that may wait
   */
  constructor(most: number, maxQueued: number) {
    this.#most = most;
    this.#maxQueued = maxQueued;
  }

  /**
   * Does something with an adapter's model, after those who came before.
   *
   * @param key stands for the adapter: equal objects are one
   * @throws Overloaded where too many wait
   */
  async use<Result>(
    key: object,
    open: () => Promise<Opened>,
    work: (model: LanguageModel) => Promise<Result>,
  ): Promise<Result> {
    if (this.#waiting >= this.#maxQueued) throw new Overloaded(this.#waiting);
    const kept = this.#kept.get(key) ?? { model: open(), last: Promise.resolve(), users: 0 };
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    kept.users++;
    this.#waiting++;
    const result = kept.last.then(async () => work(await kept.model));
    kept.last = result.catch(() => {});
    try {
      return await result;
    } finally {
      kept.users--;
      this.#waiting--;
      // One that did not open is tried again by whoever comes next.
      await kept.model.catch(() => this.#kept.delete(key));
      await this.#release(this.#kept.size - this.#most);
    }
  }

  /** Frees the engine's memory. Nothing may be under way. */
  close(): Promise<void> {
    return this.#release(this.#kept.size);
  }

  /** Releases so many of those that nobody uses. */
  async #release(count: number): Promise<void> {
    const idle = [...this.#kept].filter(([, { users }]) => users === 0).slice(0, Math.max(count, 0));
    for (const [key] of idle) this.#kept.delete(key);
    for (const [, { model }] of idle) await (await model).release();
  }
}
