/**
 * Collects items during one turn of the event loop, and passes them on together.
 *
 * @param later calls its argument at the end of the turn
 */
export function batched<Item>(
  onBatch: (items: Item[]) => void,
  later: (flush: () => void) => void,
): (item: Item) => void {
  let waiting: Item[] = [];
  return (item) => {
    waiting.push(item);
    if (waiting.length > 1) return;
    later(() => {
      const items = waiting;
      waiting = [];
      onBatch(items);
    });
  };
}

/** An item that waits for a batch, or is in one. */
export interface Waiting<Item, Result> {
  readonly item: Item;
  /** The time of its request, in milliseconds. */
  readonly since: number;
  /** The items of one request are the same object here. */
  readonly request: object;
  /** Whether it needs no more work: its caller has the result or an error, or has left. */
  readonly isSettled: boolean;
  readonly result: Promise<Result>;
  resolve(result: Result): void;
  reject(reason: unknown): void;
}

/** How a queue makes batches. */
interface QueuePolicy<Item, Result> {
  /** Chooses from the waiting items. The oldest is the first. */
  next(queue: Queue<Item, Result>): Promise<readonly Waiting<Item, Result>[]>;
  /** Settles the items of a batch. If it fails, each request in the batch is computed alone. */
  compute(batch: readonly Waiting<Item, Result>[]): Promise<void>;
}

/** Items of many requests that are computed in batches, one batch after the other. */
export class Queue<Item, Result> {
  readonly #policy: QueuePolicy<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  readonly #loop = new WorkLoop(
    () => this.#waiting.length > 0,
    () => this.#round(),
    (error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    },
  );
  #wake: (() => void) | undefined;

  constructor(policy: QueuePolicy<Item, Result>) {
    this.#policy = policy;
  }

  get waiting(): readonly Waiting<Item, Result>[] {
    return this.#waiting.filter(({ isSettled }) => !isSettled);
  }

  /**
   * Returns the results of a request's items, in their order. The first error fails the whole request.
   *
   * @throws the signal's reason when it is aborted, without waiting for a batch
   */
  async submit(items: readonly Item[], signal?: AbortSignal): Promise<Result[]> {
    signal?.throwIfAborted();
    const request = {};
    const mine = items.map((item) => waitingFor<Item, Result>(item, request));
    const leave = () => {
      for (const { reject } of mine) reject(signal?.reason);
    };
    signal?.addEventListener('abort', leave);
    for (const waiting of mine) this.#waiting.push(waiting);
    this.#wake?.();
    this.#loop.start();
    try {
      return await Promise.all(mine.map(({ result }) => result));
    } finally {
      signal?.removeEventListener('abort', leave);
      this.#waiting = this.#waiting.filter((waiting) => waiting.request !== request);
    }
  }

  /** Resolves when items are added, or after some milliseconds. */
  async changed(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  async #round(): Promise<void> {
    const batch = new Set(await this.#policy.next(this));
    this.#waiting = this.#waiting.filter((waiting) => !batch.has(waiting));
    await this.#compute([...batch]);
  }

  async #compute(all: readonly Waiting<Item, Result>[]): Promise<void> {
    const batch = all.filter(({ isSettled }) => !isSettled);
    if (batch.length === 0) return;
    try {
      await this.#policy.compute(batch);
    } catch (error) {
      const requests = new Set(batch.map(({ request }) => request));
      if (requests.size === 1) for (const { reject } of batch) reject(error);
      // A request must not make the others fail.
      else
        for (const alone of requests) await this.#compute(batch.filter(({ request }) => request === alone));
    }
  }
}

function waitingFor<Item, Result>(item: Item, request: object): Waiting<Item, Result> {
  let isSettled = false;
  let settle: [(result: Result) => void, (reason: unknown) => void];
  const result = new Promise<Result>((resolve, reject) => {
    settle = [resolve, reject];
  });
  const settled =
    <Value>(which: 0 | 1) =>
    (value: Value) => {
      isSettled = true;
      (settle[which] as (value: Value) => void)(value);
    };
  return {
    item,
    request,
    result,
    since: performance.now(),
    get isSettled() {
      return isSettled;
    },
    resolve: settled<Result>(0),
    reject: settled<unknown>(1),
  };
}

/**
 * Does rounds of work as long as there is some. An error in a round ends the work that waits, and the next work starts
 * the rounds again.
 */
export class WorkLoop {
  readonly #hasWork: () => boolean;
  readonly #round: () => Promise<void>;
  readonly #fail: (error: unknown) => void;
  #isRunning = false;

  /**
   * @param fail rejects all work that waits, so that none is left
   */
  constructor(hasWork: () => boolean, round: () => Promise<void>, fail: (error: unknown) => void) {
    this.#hasWork = hasWork;
    this.#round = round;
    this.#fail = fail;
  }

  /** Starts the rounds if they are not running. Call it after work was added. */
  start(): void {
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      while (this.#hasWork()) await this.#round();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isRunning = false;
    }
  }
}
