import { TimedOut } from './failure.ts';

/** What a request's log line says beside its route, and what ends its work. */
export class RequestScope {
  /** Told by the route: the model's name, counts of rows and tokens. */
  readonly facts: Record<string, string | number> = {};
  /** Fails when the work is to end: whoever waits for what never comes waits no longer. */
  readonly ended: Promise<never>;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  /**
   * @param client aborted when the client goes away
   * @param seconds that the request may take
   */
  constructor(
    readonly client: AbortSignal,
    seconds: number,
  ) {
    const late = new TimedOut(
      `the request: expected to be answered within ${seconds} s, got no answer by then.`,
    );
    this.#timer = setTimeout(() => this.#controller.abort(late), seconds * 1000);
    this.ended = new Promise((_, fail) => {
      this.signal.addEventListener('abort', () => fail(this.signal.reason), { once: true });
    });
    this.ended.catch(() => {});
    if (client.aborted) this.#controller.abort(client.reason);
    client.addEventListener('abort', () => this.#controller.abort(client.reason), { once: true });
  }

  /** Ends the work for the request. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends what is still under way. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** The answer has gone out: what is still under way for it ends. */
  done(): void {
    clearTimeout(this.#timer);
    this.#controller.abort(new Error('answered'));
  }
}
