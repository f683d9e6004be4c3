/** A queue for a resource. Pieces of work use it one after the other, in the order of their requests. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs a piece of work in its turn. A failure also ends the turn. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}
