import type { HostTensor } from '../runtime/session.ts';

/** A part of what a model remembers of the tokens of some sequences, [tokens, rows, width], in memory that grows. */
export class TokenMemory {
  readonly #width: number;
  #rows = 0;
  #tokens = 0;
  #data = new Float32Array(0);

  constructor(width: number) {
    this.#width = width;
  }

  /** Forgets everything: `rows` sequences without a token. */
  reset(rows: number): void {
    this.#rows = rows;
    this.#tokens = 0;
  }

  /** What is remembered: a view, until the next change. */
  get tensor(): HostTensor {
    const dims = [this.#tokens, this.#rows, this.#width];
    return { data: this.#data.subarray(0, this.#tokens * this.#rows * this.#width), dims };
  }

  /** Puts [tokens, rows, width] behind the rest; that alone is copied, but for the few times when the memory is full. */
  append({ data, dims }: HostTensor): void {
    const end = this.#tokens * this.#rows * this.#width;
    if (end + data.length > this.#data.length) {
      const grown = new Float32Array(Math.max(end + data.length, 2 * end));
      grown.set(this.#data.subarray(0, end));
      this.#data = grown;
    }
    this.#data.set(data, end);
    this.#tokens += dims[0];
  }

  /** Forgets the tokens from a number on. */
  truncate(tokens: number): void {
    this.#tokens = tokens;
  }

  /** Every row goes on from a row of before, which may have several that do, or none. Rows that stay are not copied. */
  follow(parents: Int32Array): void {
    const [source, before, rows, width] = [this.#data, this.#rows, parents.length, this.#width];
    const moved = Array.from(parents.entries()).filter(([row, parent]) => rows !== before || row !== parent);
    // In place, a token with more rows would run into the next.
    if (rows > before) this.#data = new Float32Array((this.#tokens + 1) * rows * width);
    const token = new Float32Array(before * width);
    for (let i = 0; i < this.#tokens && moved.length > 0; i++) {
      token.set(source.subarray(i * token.length, (i + 1) * token.length));
      for (const [row, parent] of moved) {
        this.#data.set(token.subarray(parent * width, (parent + 1) * width), (i * rows + row) * width);
      }
    }
    this.#rows = rows;
  }
}
