import type { HostTensor } from '../../engine/runtime/session.ts';
import { smallest } from '../../support/numbers.ts';

/** A part of a model's cache, [tokens, rows, width], in memory that grows. */
export class TokenMemory {
  readonly width: number;
  #tokens = 0;
  #data = new Float32Array(0);
  /**
   * For each row, the initial row that it continues. Rows with the same initial row share their first
   * `#begun` tokens.
   */
  #roots = new Int32Array(0);
  #begun = 0;

  constructor(width: number) {
    this.width = width;
  }

  /** Resets the memory to `rows` empty sequences. */
  reset(rows: number): void {
    this.#roots = Int32Array.from({ length: rows }, (_, row) => row);
    this.#tokens = 0;
    this.#begun = 0;
  }

  /** The content as a view that is valid until the next change. */
  get tensor(): HostTensor {
    const dims = [this.#tokens, this.#roots.length, this.width];
    return { data: this.#data.subarray(0, this.#size), dims };
  }

  /** Appends [tokens, rows, width]. Usually, only the new tokens are copied; if the memory is full, all are. */
  append({ data, dims }: HostTensor): void {
    const end = this.#size;
    if (end + data.length > this.#data.length) {
      const grown = new Float32Array(Math.max(end + data.length, 2 * end));
      grown.set(this.#data.subarray(0, end));
      this.#data = grown;
    }
    this.#data.set(data, end);
    if (this.#tokens === 0) this.#begun = dims[0]!;
    this.#tokens += dims[0]!;
  }

  /** Keeps only the first `tokens` tokens. */
  truncate(tokens: number): void {
    this.#tokens = tokens;
    this.#begun = Math.min(this.#begun, tokens);
  }

  /** Removes the first `tokens` tokens of all rows. */
  forget(tokens: number): void {
    this.#data.copyWithin(0, tokens * this.#roots.length * this.width, this.#size);
    this.#tokens -= tokens;
    this.#begun = Math.max(0, this.#begun - tokens);
  }

  /** Appends the rows of another memory. Shorter rows start with zeros, so that all rows end together. */
  join(other: TokenMemory): void {
    const [ownRows, addedRows] = [this.#roots.length, other.#roots.length];
    const [rows, width] = [ownRows + addedRows, this.width];
    const tokens = Math.max(this.#tokens, other.#tokens);
    const joined = new Float32Array(tokens * rows * width);
    for (const [memory, count, place] of [
      [this, ownRows, 0] as const,
      [other, addedRows, ownRows] as const,
    ]) {
      const before = tokens - memory.#tokens;
      for (let i = 0; i < memory.#tokens; i++) {
        const token = memory.#data.subarray(i * count * width, (i + 1) * count * width);
        joined.set(token, ((before + i) * rows + place) * width);
      }
    }
    this.reset(rows);
    this.#data = joined;
    this.#tokens = tokens;
  }

  /** Reorders the rows: row i becomes a copy of row `parents[i]`. Only rows that move are copied. */
  follow(parents: Int32Array): void {
    const [source, width, before, rows] = [this.#data, this.width, this.#roots.length, parents.length];
    const roots = parents.map((parent) => this.#roots[parent]!);
    const moves = Array.from(parents, (parent, row) => {
      const [stays, isKin] = [row === parent, this.#roots[row] === roots[row]];
      return { parent, row, from: rows !== before ? 0 : stays ? this.#tokens : isKin ? this.#begun : 0 };
    });
    // More rows than before do not fit in place, so new memory is used.
    if (rows > before) this.#data = new Float32Array((this.#tokens + 1) * rows * width);
    const token = new Float32Array(before * width);
    for (let i = smallest(moves.map(({ from }) => from)); i < this.#tokens; i++) {
      token.set(source.subarray(i * token.length, (i + 1) * token.length));
      for (const { parent, row, from } of moves) {
        if (i < from) continue;
        this.#data.set(token.subarray(parent * width, (parent + 1) * width), (i * rows + row) * width);
      }
    }
    this.#roots = roots;
  }

  get #size(): number {
    return this.#tokens * this.#roots.length * this.width;
  }
}
