import type { LanguageModel, ReadOptions } from '../../src/program/generation/language-model.ts';

/**
 * A language model for tests, which reads its logits from a table. After tokens a and b, the logits are row a
 * * vocab + b (a is 0 before the first real token). With an encoder, the sum of the prompt is added to a.
 * Calls that break the interface's rules throw.
 */
export class TableModel implements LanguageModel {
  readonly vocabSize: number;
  readonly maxPositions: number | undefined;
  readonly encode: LanguageModel['encode'];
  /** Number of rows in each call of `read`. */
  readonly reads: number[] = [];
  readonly #table: ArrayLike<number>;
  #rows: { before: number; last: number; shift: number }[] | undefined;
  #shifts: number[] = [];

  constructor(table: ArrayLike<number>, vocabSize: number, hasEncoder = false, maxPositions?: number) {
    this.#table = table;
    this.vocabSize = vocabSize;
    this.maxPositions = maxPositions;
    if (hasEncoder) {
      this.encode = async (tokens, rows, mask) => {
        const length = tokens.length / rows;
        if (mask.length !== tokens.length || !Number.isInteger(length)) throw new Error('a ragged prompt');
        this.#shifts = Array.from({ length: rows }, (_, row) =>
          tokens
            .subarray(row * length, (row + 1) * length)
            .reduce((sum, token, i) => sum + token * mask[row * length + i]!, 0),
        );
      };
    }
  }

  async read(tokens: Int32Array, rows: number, { parents, mask }: ReadOptions): Promise<Float32Array> {
    const count = tokens.length / rows;
    const isFirst = mask !== undefined;
    if (isFirst ? parents || mask.length !== tokens.length : count !== 1) throw new Error('a wrong call');
    if (parents !== undefined && parents.length !== rows) throw new Error('not one parent a row');
    const parent = (row: number) => {
      if (isFirst) return { before: 0, last: 0, shift: this.#shifts[row] ?? 0 };
      const logits = this.#rows?.[parents?.[row] ?? row];
      if (logits === undefined) throw new Error(`row ${row} has no parent`);
      return logits;
    };
    this.#rows = Array.from({ length: rows }, (_, row) => {
      const state = { ...parent(row) };
      for (let i = row * count; i < (row + 1) * count; i++) {
        if (mask?.[i] === 0) continue;
        state.before = state.last;
        state.last = tokens[i]!;
      }
      return state;
    });
    this.reads.push(rows);
    const width = this.vocabSize;
    return Float32Array.from({ length: rows * width }, (_, i) => {
      const { before, last, shift } = this.#rows![Math.floor(i / width)]!;
      return this.#table[(((before + shift) % width) * width + last) * width + (i % width)]!;
    });
  }
}
