import { commonPrefix } from '../../input/text/learnt-ids.ts';
import { headNamed } from '../../models/heads/registry.ts';
import type { CommonConfig } from '../../models/model-definition.ts';
import { concatenated } from '../../support/arrays.ts';
import { CachedRows, CachedSession, causalGraph } from './cached-session.ts';
import { EncoderDecoderLanguageModel } from './encoder-decoder-language-model.ts';
import type {
  LanguageModel,
  LanguageModelOptions,
  ReadOptions,
  TunedLanguageModel,
} from './language-model.ts';

/**
 * Maximum tokens per read. A long prompt is read in pieces, so attention scores stay small, and an abort
 * takes effect soon.
 */
export const PIECE = 256;

/** A decoder with a cache for the keys and values of all tokens it has read. */
class CausalLanguageModel implements LanguageModel {
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly #rows: CachedRows;
  readonly #continues: boolean;
  readonly #piece: number;
  /** The tokens in the cache, if it has exactly one row. */
  #only: Int32Array | undefined;

  private constructor(config: CommonConfig, session: CachedSession, continues: boolean) {
    this.vocabSize = config.vocabSize;
    this.maxPositions = config.maxLength;
    this.#rows = new CachedRows(session);
    this.#continues = continues && !config.readsWhole;
    this.#piece = config.readsWhole ? Number.POSITIVE_INFINITY : PIECE;
  }

  static async open(
    { engine, model, tuner, values }: TunedLanguageModel,
    { continues = false, packed }: LanguageModelOptions,
  ): Promise<CausalLanguageModel> {
    const session = await CachedSession.open(engine, causalGraph(model, tuner), values, { packed });
    return new CausalLanguageModel(model.config, session, continues);
  }

  async read(
    tokens: Int32Array,
    rows: number,
    { parents, mask, signal }: ReadOptions,
  ): Promise<Float32Array> {
    const known = mask ? this.#known(tokens, rows) : 0;
    if (known > 0) this.#rows.truncate(known);
    else if (mask) this.#rows.reset(rows);
    else if (parents) this.#rows.follow(parents);
    const before = mask ? tokens.subarray(0, known) : parents ? undefined : this.#only;
    this.#only = undefined;
    let logits: Float32Array = new Float32Array(0);
    const length = tokens.length / rows;
    const most = Math.max(1, Math.floor(this.#piece / rows));
    for (let start = known; start < length; start += most) {
      signal?.throwIfAborted();
      const columns = (matrix: Int32Array) =>
        sliceColumns(matrix, rows, start, Math.min(length, start + most));
      logits = await this.#rows.read(columns(tokens), rows, mask && columns(mask));
    }
    if (this.#continues && rows === 1 && before) this.#only = concatenated(before, tokens.subarray(known));
    return logits;
  }

  release(): Promise<void> {
    return this.#rows.release();
  }

  /**
   * Number of the prompt's tokens that are in the cache. The last token is read again in any case, because
   * its logits are needed.
   */
  #known(tokens: Int32Array, rows: number): number {
    return this.#only && rows === 1 ? Math.min(commonPrefix(this.#only, tokens), tokens.length - 1) : 0;
  }
}

/** Columns [start, end) of a matrix with `rows` rows. */
function sliceColumns(matrix: Int32Array, rows: number, start: number, end: number): Int32Array {
  const length = matrix.length / rows;
  const parts = Array.from({ length: rows }, (_, row) =>
    matrix.subarray(row * length + start, row * length + end),
  );
  return concatenated(...parts);
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
