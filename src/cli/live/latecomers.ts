/**
 * Clients that will make another request because of what they just received, as a page requests its stream. A server
 * that is about to close waits for them; otherwise their request would fail.
 */
export class Latecomers {
  readonly #patience: number;
  /** When the wait for each of them ends, oldest first. */
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

  /** A client has made its request. Clients have no names, so it counts as the one expected first. */
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
