import type { HostTensor } from '../../engine/runtime/session.ts';
import { smallest } from '../../support/numbers.ts';
import { UserError } from '../../support/user-error.ts';

/** Prompts that are padded to the same length. */
export interface PaddedPrompts {
  rows: readonly (readonly number[])[];
  /** Number of padding tokens in each row. */
  paddings: readonly number[];
  /** Length of every row. */
  length: number;
  /** The concatenated rows; `mask` has 1 for a real token, 0 for padding. */
  tokens: Int32Array;
  mask: Int32Array;
}

/**
 * Pads prompts to the length of the longest.
 *
 * @throws UserError for a prompt without tokens, and if padding is needed but the model has no padding token
 */
export function padPrompts(
  prompts: readonly ArrayLike<number>[],
  side: 'left' | 'right',
  pad: number | undefined,
): PaddedPrompts {
  const length = prompts.reduce((most, prompt) => Math.max(most, prompt.length), 0);
  const paddings = prompts.map((prompt) => length - prompt.length);
  const empty = prompts.findIndex((prompt) => prompt.length === 0);
  if (empty >= 0) {
    throw new UserError({
      where: `prompt ${empty + 1}`,
      fault: 'has no tokens',
      hint: 'Give it text, or set bos_token_id.',
      code: 'invalid_argument',
    });
  }
  if (pad === undefined && paddings.some((count) => count > 0)) {
    throw new UserError({
      where: 'pad_token_id',
      fault: 'is not set, and neither is eos_token_id: prompts of different lengths need a padding token',
      hint: 'Set pad_token_id, or generate from one prompt at a time.',
      code: 'invalid_argument',
    });
  }
  const padded = (prompt: ArrayLike<number>, filler: number): number[] => {
    const filling = new Array<number>(length - prompt.length).fill(filler);
    return side === 'left' ? [...filling, ...Array.from(prompt)] : [...Array.from(prompt), ...filling];
  };
  const rows = prompts.map((prompt) => padded(prompt, pad ?? 0));
  const mask = prompts.map((prompt) => padded(new Uint8Array(prompt.length).fill(1), 0));
  return {
    rows,
    paddings,
    length,
    tokens: Int32Array.from(rows.flat()),
    mask: Int32Array.from(mask.flat()),
  };
}

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
    const count = Math.min(this.#length, smallest(first));
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
