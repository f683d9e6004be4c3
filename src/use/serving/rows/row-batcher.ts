import { WorkLoop } from '../../../support/work-loop.ts';
import { Overloaded } from '../service/service-errors.ts';

/** The properties of a row that the batcher needs. */
export interface BatchedRow {
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

interface Waiting<Row, Result> {
  row: Row;
  since: number;
  resolve(result: Result): void;
  reject(reason: unknown): void;
}

/**
 * Batches rows that arrive one by one. A batch has the row that has waited the longest, and rows of similar length.
 * While it is computed, the next batch fills. An idle engine waits for a moment before it takes a partial batch.
 */
export class RowBatcher<Row extends BatchedRow, Result> {
  readonly #compute: (rows: readonly Row[]) => Promise<Result[]>;
  readonly #fits: (rows: readonly Row[], row: Row) => boolean;
  readonly #limits: BatchLimits;
  #waiting: Waiting<Row, Result>[] = [];
  readonly #loop = new WorkLoop(
    () => this.#waiting.length > 0,
    () => this.#round(),
    (error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    },
  );
  #wake: (() => void) | undefined;

  /**
   * @param compute returns a result for each row of a batch
   * @param fits whether a row may join others in a batch, in addition to the limits
   */
  constructor(
    compute: (rows: readonly Row[]) => Promise<Result[]>,
    fits: (rows: readonly Row[], row: Row) => boolean,
    limits: BatchLimits,
  ) {
    this.#compute = compute;
    this.#fits = fits;
    this.#limits = limits;
  }

  /** Number of rows that wait for a batch. */
  get queued(): number {
    return this.#waiting.length;
  }

  /**
   * Returns the results of rows, in their order. Either all of them are queued, or none of them.
   *
   * @throws Overloaded if too many already wait; the signal's reason when it is aborted, then waiting rows leave the
   * queue
   */
  async submit(rows: readonly Row[], signal?: AbortSignal): Promise<Result[]> {
    signal?.throwIfAborted();
    if (this.#waiting.length + rows.length > this.#limits.maxQueued)
      throw new Overloaded(this.#waiting.length);
    const mine = new Set<Waiting<Row, Result>>();
    const results = rows.map(
      (row) =>
        new Promise<Result>((resolve, reject) => {
          const waiting = { row, since: performance.now(), resolve, reject };
          mine.add(waiting);
          this.#waiting.push(waiting);
        }),
    );
    const leave = () => {
      this.#waiting = this.#waiting.filter((waiting) => !mine.has(waiting));
      for (const { reject } of mine) reject(signal?.reason);
    };
    signal?.addEventListener('abort', leave);
    this.#wake?.();
    this.#loop.start();
    try {
      return await Promise.all(results);
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  async #round(): Promise<void> {
    await this.#gathered();
    const batch = this.#nextBatch();
    if (batch.length === 0) return;
    await this.#answer(batch);
    // Before the next batch, answers can be sent and requests received.
    await new Promise((resolve) => setTimeout(resolve));
  }

  async #answer(batch: readonly Waiting<Row, Result>[]): Promise<void> {
    try {
      const results = await this.#compute(batch.map(({ row }) => row));
      for (const [i, { resolve }] of batch.entries()) resolve(results[i]!);
    } catch (error) {
      // A row must not make the others fail.
      if (batch.length > 1) for (const waiting of batch) await this.#answer([waiting]);
      else for (const { reject } of batch) reject(error);
    }
  }

  /** Resolves when a batch is full, or when its first row has waited long enough. */
  async #gathered(): Promise<void> {
    for (;;) {
      const [oldest] = this.#waiting;
      if (!oldest || this.#waiting.length >= this.#limits.maxRows) return;
      const left = oldest.since + this.#limits.maxWait - performance.now();
      if (left <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
  }

  /** Removes the row that has waited the longest from the queue, with the rows of the most similar lengths. */
  #nextBatch(): Waiting<Row, Result>[] {
    const [oldest] = this.#waiting;
    if (!oldest) return [];
    const distance = ({ row }: Waiting<Row, Result>) => Math.abs(row.length - oldest.row.length);
    const others = this.#waiting.slice(1).sort((a, b) => distance(a) - distance(b));
    const batch = [oldest];
    let [least, most] = [oldest.row.length, oldest.row.length];
    for (const waiting of others) {
      if (batch.length === this.#limits.maxRows) break;
      const { length } = waiting.row;
      const [shortest, longest] = [Math.min(least, length), Math.max(most, length)];
      const isTooMuch = (batch.length + 1) * longest > this.#limits.maxTokens;
      if (isTooMuch || shortest < MIN_SHARE * longest) continue;
      if (
        !this.#fits(
          batch.map(({ row }) => row),
          waiting.row,
        )
      )
        continue;
      batch.push(waiting);
      [least, most] = [shortest, longest];
    }
    const taken = new Set(batch);
    this.#waiting = this.#waiting.filter((waiting) => !taken.has(waiting));
    return batch;
  }
}
