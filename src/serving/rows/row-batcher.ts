import { Overloaded } from '../overloaded.ts';

/** What a row is batched by. */
export interface BatchedRow {
  /** Tokens. */
  readonly length: number;
}

export interface BatchLimits {
  /** Rows of a batch. */
  maxRows: number;
  /** Tokens of a batch, padding included; a longer row goes alone. */
  maxTokens: number;
  /** How long a row waits for others, in milliseconds, while the engine is idle. */
  maxWait: number;
  /** Rows that may wait. */
  maxQueued: number;
}

/** Rows of a batch are at least this share of the longest one, so that little is computed for padding. */
const LEAST_SHARE = 0.6;

interface Waiting<Row, Result> {
  row: Row;
  since: number;
  resolve(result: Result): void;
  reject(reason: unknown): void;
}

/**
 * Makes batches of rows that come one by one: the one that has waited the longest, and those of like length. While a batch
 * is computed the next one gathers; an idle engine waits for a moment before it takes less than a whole batch.
 */
export class RowBatcher<Row extends BatchedRow, Result> {
  readonly #compute: (rows: readonly Row[]) => Promise<Result[]>;
  readonly #fits: (rows: readonly Row[], row: Row) => boolean;
  readonly #limits: BatchLimits;
  #waiting: Waiting<Row, Result>[] = [];
  #isRunning = false;
  #wake: (() => void) | undefined;

  /**
   * @param compute gives a result for each row of a batch
   * @param fits whether a row may join others in a batch, beside what the limits say
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

  /** Rows that wait for a batch. */
  get queued(): number {
    return this.#waiting.length;
  }

  /**
   * The results of rows, in their order. All of them wait, or none.
   *
   * @throws Overloaded where too many wait already; the signal's reason when it is aborted: rows that wait leave the queue
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
    if (!this.#isRunning) void this.#run();
    try {
      return await Promise.all(results);
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      await this.#gathered();
      const batch = this.#take();
      if (batch.length === 0) continue;
      try {
        const results = await this.#compute(batch.map(({ row }) => row));
        for (const [i, { resolve }] of batch.entries()) resolve(results[i]);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
      // Answers go out, and what has arrived meanwhile comes in, before the next batch is made.
      await new Promise((resolve) => setTimeout(resolve));
    }
    this.#isRunning = false;
  }

  /** Until a batch is full, or its first row has waited long enough. */
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

  /** The row that has waited the longest, with those whose lengths are nearest to its own. */
  #take(): Waiting<Row, Result>[] {
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
      if (isTooMuch || shortest < LEAST_SHARE * longest) continue;
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
