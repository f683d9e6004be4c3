/** A queue of response parts, from their producer to their sender. */
export class ChunkQueue {
  readonly #chunks: object[] = [];
  #isOver = false;
  #wake = () => {};

  add(chunk: object): void {
    this.#chunks.push(chunk);
    this.#wake();
  }

  /** Marks the end: no more parts will follow. */
  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  /** Waits for the next part or the end. Returns whether there is a part. */
  async ready(): Promise<boolean> {
    while (this.#chunks.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#chunks.length > 0;
  }

  /** The parts in order of arrival, to the last. */
  async *[Symbol.asyncIterator](): AsyncGenerator<object> {
    while (await this.ready()) yield this.#chunks.shift()!;
  }
}
