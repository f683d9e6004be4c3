import { headNamed } from '../../models/heads/registry.ts';
import { concatenated } from '../../support/arrays.ts';
import { UserError } from '../../support/user-error.ts';
import { CausalLanguageModel } from './causal-language-model.ts';
import { EncoderDecoderLanguageModel } from './encoder-decoder-language-model.ts';
import type { LanguageModel, LanguageModelOptions, TunedLanguageModel } from './language-model.ts';

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

const REAL = Int32Array.of(1);

/**
 * A decoder whose states of all tokens change when a text gets more than `length` tokens. The cache is then useless, so
 * the whole text is read again, as in transformers.
 */
function rereadingModel<Model extends LanguageModel & { release(): Promise<void> }>(
  model: Model,
  length: number,
): LanguageModel & Pick<Model, 'release'> {
  /** The tokens of each row, with their mask. */
  let texts: { tokens: Int32Array; mask: Int32Array }[] = [];
  return {
    vocabSize: model.vocabSize,
    maxPositions: model.maxPositions,
    release: () => model.release(),
    read(tokens, rows, options) {
      const { mask, parents, signal } = options;
      const columns = tokens.length / rows;
      const added = (matrix: Int32Array, row: number) => matrix.slice(row * columns, (row + 1) * columns);
      const before = texts;
      texts = Array.from({ length: rows }, (_, row) => {
        const text = added(tokens, row);
        if (mask) return { tokens: text, mask: added(mask, row) };
        const parent = before[parents?.[row] ?? row]!;
        return { tokens: concatenated(parent.tokens, text), mask: concatenated(parent.mask, REAL) };
      });
      if (mask || texts[0]!.tokens.length !== length + 1) return model.read(tokens, rows, options);
      const whole = (key: 'tokens' | 'mask') => concatenated(...texts.map((text) => text[key]));
      return model.read(whole('tokens'), rows, { mask: whole('mask'), signal });
    },
  };
}

/** Opens a language model with its cache. Release it after use. */
export async function openLanguageModel(
  tuned: TunedLanguageModel,
  options: LanguageModelOptions = {},
): Promise<LanguageModel & { release(): Promise<void> }> {
  const { headKind, config } = tuned.model;
  if (headNamed(headKind).reads === 'encoder-decoder')
    return EncoderDecoderLanguageModel.open(tuned, options);
  const model = await CausalLanguageModel.open(tuned, options);
  return config.rereadAbove === undefined ? model : rereadingModel(model, config.rereadAbove);
}
