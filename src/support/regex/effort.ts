/** Thrown when work on patterns from a file takes more steps or memory than allowed. */
export class TooMuchEffort extends Error {
  override name = 'TooMuchEffort';
}

/**
 * A limit on work with patterns from files. Counts steps of 10 to 20 ns instead of time, so the same files are accepted
 * on every machine, and in a page too.
 */
export class Effort {
  readonly #most: number;
  #left: number;

  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  get left(): number {
    return this.#left;
  }

  /** Allows the full number of steps again. */
  renew(): void {
    this.#left = this.#most;
  }

  /** @throws TooMuchEffort */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new TooMuchEffort(`takes more than ${this.#most} steps`);
  }
}
