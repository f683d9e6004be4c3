/**
 * Clients that were just given something which makes them ask again, as a page asks for its stream. A server that is
 * about to close waits for them, or they would find nobody.
 */
export class Latecomers {
  readonly #patience: number;
  /** When each of them will be waited for no longer, oldest first. */
  #expected: number[] = [];
  #arrived = () => {};

  /** @param patience how long a client is waited for, in milliseconds */
  constructor(patience: number) {
    this.#patience = patience;
  }

  expect(): void {
    this.#expected.push(performance.now() + this.#patience);
  }

  /** A client has asked again. Clients have no names, so it counts as the one expected first. */
  arrived(): void {
    this.#expected.shift();
    this.#arrived();
  }

  /** Resolves once nobody is waited for. */
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
