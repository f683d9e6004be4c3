/**
 * Clients that are about to make another request because of what they just received: a page requests its stream. A
 * closing server waits for them, because their request would fail otherwise.
 */
export class Latecomers {
  readonly #patience: number;
  /** Time at which the wait for each client ends, oldest first. */
  #expected: number[] = [];
  #arrived = () => {};

  /**
   * @param patience how long to wait for a client, in milliseconds
   */
  constructor(patience: number) {
    this.#patience = patience;
  }

  expect(): void {
    this.#expected.push(performance.now() + this.#patience);
  }

  /** Records the request of a client. Clients are not identified, so it counts as the one expected first. */
  arrived(): void {
    this.#expected.shift();
    this.#arrived();
  }

  /** Resolves once no client is expected. */
  async none(): Promise<void> {
    for (;;) {
      const now = performance.now();
      this.#expected = this.#expected.filter((until) => until > now);
      const last = this.#expected.at(-1);
      if (last === undefined) return;
      await new Promise<void>((done) => {
        const patience = setTimeout(done, last - now);
        this.#arrived = () => {
          clearTimeout(patience);
          done();
        };
      });
    }
  }
}
