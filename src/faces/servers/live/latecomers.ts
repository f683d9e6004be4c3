/**
 * Clients that will make another request soon: a page that was just served requests its event stream. A
 * closing server waits for them, because their request would fail otherwise.
 */
export class Latecomers {
  readonly #patience: number;
  /** The time until which each client is expected, oldest first. */
  #expected: number[] = [];
  #arrived = () => {};

  /** @param patience how long to wait for a client, in milliseconds */
  constructor(patience: number) {
    this.#patience = patience;
  }

  expect(): void {
    this.#expected.push(performance.now() + this.#patience);
  }

  /** Records a client's request. Requests cannot be attributed to a client, so the oldest expectation is removed. */
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
