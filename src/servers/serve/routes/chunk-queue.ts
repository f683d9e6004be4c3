/** A queue of response parts between their producer and their sender. */
export class ChunkQueue {
  readonly #chunks: object[] = [];
  #isOver = false;
  #wake = () => {};

  add(chunk: object): void {
    this.#chunks.push(chunk);
    this.#wake();
  }

  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  /** Waits for the next part or the end. Returns false at the end. */
  async ready(): Promise<boolean> {
    while (this.#chunks.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#chunks.length > 0;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<object> {
    while (await this.ready()) yield this.#chunks.shift()!;
  }
}
