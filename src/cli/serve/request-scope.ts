import { TimedOut } from './failure.ts';

const ANSWERED = new Error('answered');

/** What a request's log line says beside its route, and what ends its work. */
export class RequestScope {
  /** Told by the route: the model's name, counts of rows and tokens. */
  readonly facts: Record<string, string | number> = {};
  /** Fails when the work is to end: whoever waits for what never comes waits no longer. */
  readonly ended: Promise<never>;
  /** Whether the client has gone before its answer had gone out. */
  isGone = false;
  // One for all ends: in Node each signal costs as much as reading a small body.
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  /** @param seconds that the request may take */
  constructor(seconds: number) {
    this.#timer = setTimeout(() => {
      const expected = `expected to be answered within ${seconds} s, got no answer by then.`;
      this.#controller.abort(new TimedOut(`the request: ${expected}`));
    }, seconds * 1000);
    this.ended = new Promise((_, fail) => {
      this.signal.addEventListener('abort', () => fail(this.signal.reason), { once: true });
    });
    this.ended.catch(() => {});
  }

  /** Ends the work for the request. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Ends what is still under way. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** The client has gone: nobody reads the answer. */
  gone(): void {
    this.isGone = true;
    this.#controller.abort(new Error('the client has gone'));
  }

  /** The answer has gone out: what is still under way for it ends. */
  done(): void {
    clearTimeout(this.#timer);
    this.#controller.abort(ANSWERED);
  }
}
