import { Queue, type Waiting } from '../../../support/queue.ts';
import { Overloaded } from '../service/service-errors.ts';

/** The properties of a row that the batcher needs. */
interface BatchedRow {
  /** Number of its tokens. */
  readonly length: number;
}

export interface BatchLimits {
  /** Maximum number of rows in a batch. */
  maxRows: number;
  /** Maximum number of tokens in a batch, padding included. A longer row gets its own batch. */
  maxTokens: number;
  /** How long a row waits for others while the engine is idle, in milliseconds. */
  maxWait: number;
  /** Maximum number of waiting rows. */
  maxQueued: number;
}

/** The minimum length of a row, as a share of the batch's longest row. It limits padding. */
const MIN_SHARE = 0.6;

/**
 * Batches rows that arrive one by one. A batch has the row that has waited the longest, and rows of similar length.
 * While it is computed, the next batch fills. An idle engine waits for a moment before it takes a partial batch.
 */
export class RowBatcher<Row extends BatchedRow, Result> {
  readonly #fits: (rows: readonly Row[], row: Row) => boolean;
  readonly #limits: BatchLimits;
  readonly #queue: Queue<Row, Result>;

  /**
   * @param compute returns a result for each row of a batch
   * @param fits whether a row may join others in a batch, in addition to the limits
   */
  constructor(
    compute: (rows: readonly Row[]) => Promise<Result[]>,
    fits: (rows: readonly Row[], row: Row) => boolean,
    limits: BatchLimits,
  ) {
    this.#fits = fits;
    this.#limits = limits;
    this.#queue = new Queue<Row, Result>({
      next: (queue) => this.#next(queue),
      async compute(batch) {
        const results = await compute(batch.map(({ item }) => item));
        for (const [i, { resolve }] of batch.entries()) resolve(results[i]!);
        // Before the next batch, answers can be sent and requests received.
        await new Promise((resolve) => setTimeout(resolve));
      },
    });
  }

  /** Number of rows that wait for a batch. */
  get queued(): number {
    return this.#queue.waiting.length;
  }

  /**
   * Returns the results of rows, in their order. Either all of them are queued, or none of them.
   *
   * @throws Overloaded if too many already wait; the signal's reason when it is aborted, then waiting rows leave the
   * queue
   */
  async submit(rows: readonly Row[], signal?: AbortSignal): Promise<Result[]> {
    if (this.queued + rows.length > this.#limits.maxQueued) throw new Overloaded(this.queued);
    return this.#queue.submit(rows, signal);
  }

  /** Waits until a batch is full, or until its first row has waited long enough. */
  async #next(queue: Queue<Row, Result>): Promise<Waiting<Row, Result>[]> {
    for (;;) {
      const { waiting } = queue;
      const [oldest] = waiting;
      if (!oldest) return [];
      const left = oldest.since + this.#limits.maxWait - performance.now();
      if (waiting.length >= this.#limits.maxRows || left <= 0) return this.#batchOf(waiting);
      await queue.changed(left);
    }
  }

  /** The row that has waited the longest, and the rows of the most similar lengths. */
  #batchOf(waiting: readonly Waiting<Row, Result>[]): Waiting<Row, Result>[] {
    const oldest = waiting[0]!;
    const distance = ({ item }: Waiting<Row, Result>) => Math.abs(item.length - oldest.item.length);
    const batch = [oldest];
    let [least, most] = [oldest.item.length, oldest.item.length];
    for (const other of waiting.slice(1).sort((a, b) => distance(a) - distance(b))) {
      if (batch.length === this.#limits.maxRows) break;
      const { length } = other.item;
      const [shortest, longest] = [Math.min(least, length), Math.max(most, length)];
      const isTooMuch = (batch.length + 1) * longest > this.#limits.maxTokens;
      if (isTooMuch || shortest < MIN_SHARE * longest) continue;
      const rows = batch.map(({ item }) => item);
      if (!this.#fits(rows, other.item)) continue;
      batch.push(other);
      [least, most] = [shortest, longest];
    }
    return batch;
  }
}
