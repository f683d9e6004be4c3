import { UserError } from '../../support/user-error.ts';
import type { LanguageModel } from './language-model.ts';

/** Runs a language model step by step, and checks its results. */
export class ModelReader {
  readonly #model: LanguageModel;
  #rows = 0;

  constructor(model: LanguageModel) {
    this.#model = model;
  }

  /** Reads the first tokens of the rows. */
  async begin(
    tokens: Int32Array,
    rows: number,
    mask: Int32Array,
    signal?: AbortSignal,
  ): Promise<Float32Array> {
    this.#rows = rows;
    return this.#checked(await this.#model.read(tokens, rows, { mask, signal }));
  }

  /** Reads one token per row. Row i continues row `parents[i]` of the previous read. */
  async next(tokens: readonly number[], parents: readonly number[]): Promise<Float32Array> {
    const same = parents.length === this.#rows && parents.every((parent, row) => parent === row);
    this.#rows = tokens.length;
    const options = same ? {} : { parents: Int32Array.from(parents) };
    return this.#checked(await this.#model.read(Int32Array.from(tokens), tokens.length, options));
  }

  #checked(logits: Float32Array): Float32Array {
    const wanted = this.#rows * this.#model.vocabSize;
    if (logits.length !== wanted)
      throw new Error(`the model gave ${logits.length} logits instead of ${wanted}`);
    if (!hasNaN(logits)) return logits;
    throw new UserError({
      where: 'the model',
      fault: 'computed NaN logits',
      hint: 'Its weights are damaged, or its activations overflow in half precision. Try another dtype.',
    });
  }
}

function hasNaN(values: Float32Array): boolean {
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return true;
  return false;
}
