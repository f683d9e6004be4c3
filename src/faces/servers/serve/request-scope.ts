import { TimedOut } from './failure.ts';

const ANSWERED = new Error('answered');

/** The content of a request's log line in addition to its route, and the signal that aborts its work. */
export class RequestScope {
  /** Set by the route: the model's name, and the numbers of rows and tokens. */
  readonly facts: Record<string, string | number> = {};
  /** Rejects when the request is aborted, so that no await lasts forever. */
  readonly ended: Promise<never>;
  /** Whether the client disconnected before its response was sent. */
  isGone = false;
  // One controller for all reasons, because in Node each signal costs as much as reading a small body.
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  /**
   * @param seconds time limit of the request
   */
  constructor(seconds: number) {
    this.#timer = setTimeout(() => {
      this.#controller.abort(new TimedOut(`The request took longer than ${seconds} s.`));
    }, seconds * 1000);
    this.ended = new Promise((_, fail) => {
      this.signal.addEventListener('abort', () => fail(this.signal.reason), { once: true });
    });
    this.ended.catch(() => {});
  }

  /** Aborts when the work for the request must end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Records that the client has disconnected. */
  gone(): void {
    this.isGone = true;
    this.#controller.abort(new Error('the client closed the connection'));
  }

  /** Ends the scope after the response has been sent. */
  done(): void {
    clearTimeout(this.#timer);
    this.#controller.abort(ANSWERED);
  }
}
