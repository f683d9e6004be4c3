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
