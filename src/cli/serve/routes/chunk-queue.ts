/** Parts of an answer, from whoever writes them to whoever sends them. */
export class ChunkQueue {
  readonly #chunks: object[] = [];
  #isOver = false;
  #wake = () => {};

  add(chunk: object): void {
    this.#chunks.push(chunk);
    this.#wake();
  }

  /** No more will come. */
  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  /** Until there is a part, or there will be none. Returns whether there is one. */
  async ready(): Promise<boolean> {
    while (this.#chunks.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#chunks.length > 0;
  }

  /** The parts, as they come, to the last. */
  async *[Symbol.asyncIterator](): AsyncGenerator<object> {
    while (await this.ready()) yield this.#chunks.shift()!;
  }
}
