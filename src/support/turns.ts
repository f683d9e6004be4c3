/** A queue for a resource. Pieces of work use it one after the other, in the order of their requests. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when it is the caller's turn. Call the returned function to start the next turn. */
  async begin(): Promise<() => void> {
    const before = this.#last;
    let end = () => {};
    this.#last = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    return end;
  }

  /** Runs a piece of work in its turn. A failure also ends the turn. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    const end = await this.begin();
    try {
      return await work();
    } finally {
      end();
    }
  }
}
