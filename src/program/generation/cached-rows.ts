import type { Tensors } from '../../engine/runtime/session.ts';
import { modelFeeds } from '../objectives/model-inputs.ts';
import type { CachedSession } from './cached-session.ts';
import { ReadTokens } from './read-tokens.ts';

/** A batch of sequences that a decoder reads: their cache, and which of their tokens are real. */
export class CachedRows {
  readonly #session: CachedSession;
  readonly #read = new ReadTokens();
  readonly #virtual: number;

  /**
   * @param virtual the number of tokens that every sequence of the session starts with
   */
  constructor(session: CachedSession, virtual = 0) {
    this.#session = session;
    this.#virtual = virtual;
  }

  /** Rows of the same session, with a separate cache. */
  fork(): CachedRows {
    return new CachedRows(this.#session.fork(), this.#virtual);
  }

  /** Resets the cache to `rows` empty sequences. */
  reset(rows: number): void {
    for (const memory of [this.#session, this.#read]) memory.reset(rows);
    this.#read.append(this.#virtual);
  }

  /** Keeps only the first `tokens` tokens. */
  truncate(tokens: number): void {
    for (const memory of [this.#session, this.#read]) memory.truncate(this.#virtual + tokens);
  }

  /** Reorders the rows: row i becomes a copy of row `parents[i]`. */
  follow(parents: Int32Array): void {
    for (const memory of [this.#session, this.#read]) memory.follow(parents);
  }

  /** Appends rows. Shorter rows are padded at the start, so that all rows end together. */
  join(other: CachedRows): void {
    this.#session.join(other.#session);
    this.#read.join(other.#read);
  }

  /** Removes leading padding that all rows have. */
  forgetPadding(): void {
    this.#session.forget(this.#read.forgetPadding());
  }

  /**
   * Reads [rows, count] tokens after the cached ones.
   *
   * @param mask 1 for a real token, 0 for padding; default: all are real
   * @param more further inputs of the graph
   * @returns logits [rows, vocabulary] after the last token
   */
  async read(inputIds: Int32Array, rows: number, mask?: Int32Array, more?: Tensors): Promise<Float32Array> {
    const length = inputIds.length / rows;
    const feeds = modelFeeds({
      inputIds,
      tokenTypeIds: new Int32Array(inputIds.length),
      attentionMask: new Int32Array(0),
      positionIds: this.#read.append(length, mask),
      batch: rows,
      length,
    });
    const { logits } = await this.#session.run({ ...feeds, attention_mask: this.#read.mask, ...more });
    return logits!.data as Float32Array;
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}
