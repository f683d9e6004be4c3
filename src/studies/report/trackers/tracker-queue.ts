import type { Scalar } from '../tensorboard/event-file.ts';

/** The properties of a run on a tracking server. */
export interface TrackedRun {
  name: string;
  /** All values of the run's config, by dotted keys. */
  settings: Readonly<Record<string, unknown>>;
}

/** The scalars of a step. */
export interface TrackedStep {
  step: number;
  /** Milliseconds since 1970. */
  time: number;
  scalars: readonly Scalar[];
}

/** How a run ended. A run that was `stopped` may continue. */
export type Outcome = 'finished' | 'stopped' | 'failed';

/** A client of a tracking server. All methods throw if the server cannot be reached or rejects the request. */
export interface Tracker {
  /**
   * Creates a run, or continues one.
   *
   * @param id id of the run to continue
   * @returns the run's id
   */
  begin(run: TrackedRun, id: string | undefined): Promise<string>;
  log(points: readonly TrackedStep[]): Promise<void>;
  end(outcome: Outcome): Promise<void>;
}

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Milliseconds between two requests, after a failed request, and to send the remaining points at the end. */
const PAUSES = { every: 5000, afterFailure: 30_000, end: 20_000 };
/** Maximum number of points that wait for a server. Older points are dropped. */
const MAX_POINTS = 10_000;
/** Maximum number of points in a request. */
const MAX_SENT = 500;

/** The state of a tracked run that a resumed run needs. */
export interface TrackerState {
  id: string;
  /** The last step that the server has received. */
  step: number;
}

export interface QueueHost {
  /** Called once, at the first failure. */
  onFailure(message: string): void;
  /** Called after every successful request. */
  onState(state: TrackerState): void;
}

/**
 * Waits for work for a limited time.
 *
 * @throws Error after that time
 */
async function limited(work: Promise<void>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1000} s`)), ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/**
 * Sends the points of a run in the background. If a server fails, its missing points are sent again later. A failure
 * never stops the run.
 */
export class TrackerQueue {
  readonly #points: TrackedStep[] = [];
  #state: TrackerState | undefined;
  #isBegun = false;
  #hasFailed = false;
  #isClosing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending: Promise<boolean> | undefined;

  constructor(
    private readonly tracker: Tracker,
    private readonly run: TrackedRun,
    private readonly host: QueueHost,
    state?: TrackerState,
    private readonly pauses = PAUSES,
  ) {
    this.#state = state;
    this.#schedule(0);
  }

  add(point: TrackedStep): void {
    // A resumed run repeats the steps after its checkpoint.
    if (point.scalars.length === 0 || (this.#state && point.step < this.#state.step)) return;
    this.#points.push(point);
    if (this.#points.length > MAX_POINTS) this.#points.shift();
    this.#schedule(this.pauses.every);
  }

  /** Sends the remaining points, and ends the run on the server. Gives up after some seconds. */
  async close(outcome: Outcome): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    const finish = async () => {
      await this.#sending;
      if (!(await this.#send())) return;
      await this.tracker.end(outcome);
    };
    try {
      await limited(finish(), this.pauses.end);
    } catch (error) {
      this.#fail(error);
    }
  }

  #schedule(pause: number): void {
    if (this.#isClosing || this.#timer || this.#sending) return;
    this.#timer = setTimeout(async () => {
      this.#timer = undefined;
      this.#sending = this.#send();
      const isSent = await this.#sending;
      this.#sending = undefined;
      if (!isSent) this.#schedule(this.pauses.afterFailure);
      else if (this.#points.length > 0) this.#schedule(this.pauses.every);
    }, pause);
    // The timer must not keep the program running.
    (this.#timer as { unref?(): void }).unref?.();
  }

  async #send(): Promise<boolean> {
    try {
      if (!this.#isBegun) {
        const id = await this.tracker.begin(this.run, this.#state?.id);
        this.#keep({ id, step: this.#state?.step ?? 0 });
        this.#isBegun = true;
      }
      while (this.#points.length > 0) {
        const part = this.#points.slice(0, MAX_SENT);
        await this.tracker.log(part);
        // Older points may have been dropped in the meantime.
        while (part.includes(this.#points[0]!)) this.#points.shift();
        this.#keep({ id: (this.#state as TrackerState).id, step: (part.at(-1) as TrackedStep).step });
      }
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #keep(state: TrackerState): void {
    this.#state = state;
    this.host.onState(state);
  }

  #fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.host.onFailure((error as Error).message);
  }
}
