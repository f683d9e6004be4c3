import type { HostTensor } from '../../engine/runtime/session.ts';

/**
 * Records which tokens of each row are real and which are padding. A row's number of real tokens is the
 * position of its next token.
 */
export class ReadTokens {
  #rows: { mask: Int32Array; real: number }[] = [];
  #length = 0;

  reset(rows: number): void {
    this.#rows = Array.from({ length: rows }, () => ({ mask: new Int32Array(0), real: 0 }));
    this.#length = 0;
  }

  /** Keeps only the first `tokens` tokens. */
  truncate(tokens: number): void {
    for (const row of this.#rows)
      row.real = row.mask.subarray(0, tokens).reduce((sum, real) => sum + real, 0);
    this.#length = tokens;
  }

  /** Appends rows. Shorter rows are padded at the start, so that all rows end together. */
  join(other: ReadTokens): void {
    const length = Math.max(this.#length, other.#length);
    const moved = [this as ReadTokens, other].flatMap((tokens) =>
      tokens.#rows.map(({ mask, real }) => {
        const rowTokens = new Int32Array(length);
        rowTokens.set(mask.subarray(0, tokens.#length), length - tokens.#length);
        return { mask: rowTokens, real };
      }),
    );
    this.#rows = moved;
    this.#length = length;
  }

  /** Removes leading padding that all rows have. Returns the number of tokens removed. */
  forgetPadding(): number {
    const first = this.#rows.map(({ mask }) => mask.indexOf(1)).filter((at) => at >= 0);
    const count = Math.min(this.#length, ...first);
    for (const row of this.#rows) row.mask = row.mask.slice(count);
    this.#length -= count;
    return count;
  }

  /** Reorders the rows: row i becomes a copy of row `parents[i]`. */
  follow(parents: Int32Array): void {
    this.#rows = Array.from(parents, (parent) => {
      const { mask, real } = this.#rows[parent]!;
      return { mask: mask.slice(), real };
    });
  }

  /**
   * Adds `count` tokens per row. They are real if `mask` [rows, count] has 1.
   *
   * @returns the tokens' positions, [rows, count]: the number of real tokens before each; padding has 0,
   * which is never used
   */
  append(count: number, mask?: Int32Array): Int32Array {
    const end = this.#length + count;
    const positions = new Int32Array(this.#rows.length * count);
    for (const [i, row] of this.#rows.entries()) {
      if (end > row.mask.length) {
        const grown = new Int32Array(Math.max(end, 2 * this.#length));
        grown.set(row.mask);
        row.mask = grown;
      }
      for (let at = i * count; at < (i + 1) * count; at++) {
        const isReal = mask === undefined || mask[at] === 1;
        row.mask[this.#length + at - i * count] = Number(isReal);
        if (isReal) positions[at] = row.real++;
      }
    }
    this.#length = end;
    return positions;
  }

  /** The mask of all tokens so far, [rows, tokens]. */
  get mask(): HostTensor {
    const [rows, length] = [this.#rows, this.#length];
    const data = new Int32Array(rows.length * length);
    for (const [i, { mask }] of rows.entries()) data.set(mask.subarray(0, length), i * length);
    return { data, dims: [rows.length, length] };
  }
}
