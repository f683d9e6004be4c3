import type { HostTensor, Tensors } from '../../engine/runtime/session.ts';
import { commonPrefix } from '../../input/text/learnt-ids.ts';
import { headNamed } from '../../models/heads/registry.ts';
import type { CommonConfig } from '../../models/model-definition.ts';
import { PAST, PRESENT } from '../../models/nn/key-value-cache.ts';
import { concatenated } from '../../support/arrays.ts';
import { releaseAll } from '../../support/opened.ts';
import type { EngineOpenOptions } from '../engine.ts';
import { modelFeeds, sequenceMajor } from '../objectives/model-inputs.ts';
import {
  type CachedGraph,
  CachedRows,
  CachedSession,
  causalGraph,
  decoderGraph,
  encoderGraph,
} from './cached-session.ts';
import type {
  LanguageModel,
  LanguageModelOptions,
  ReadOptions,
  TunedLanguageModel,
} from './language-model.ts';

/**
 * An encoder-decoder. The encoder reads each prompt once. The decoder caches keys and values of its own
 * tokens and of the encoder's output.
 */
class EncoderDecoderLanguageModel implements LanguageModel {
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly #isMasked: boolean;
  readonly #encoder: CachedSession;
  readonly #decoder: CachedSession;
  readonly #encoded: CachedGraph['encoded'];
  /** The encoder's keys and values by name, [source, prompts, width], and the prompts' mask, [prompts, source]. */
  #prompts: { tensors: Map<string, HostTensor>; mask: Int32Array; source: number } | undefined;
  /** The prompt of each row; undefined before the decoder's first call. */
  #promptOf: Int32Array | undefined;
  /** The encoder's results for each row. They change when a row continues a row of another prompt. */
  #feeds: Tensors = {};

  private constructor(
    { vocabSize, maxLength, maxTargets = maxLength, content }: CommonConfig,
    encoded: CachedGraph['encoded'],
    encoder: CachedSession,
    decoder: CachedSession,
  ) {
    this.vocabSize = vocabSize;
    this.maxPositions = maxTargets;
    this.#isMasked = !content;
    this.#encoded = encoded;
    this.#encoder = encoder;
    this.#decoder = decoder;
  }

  static async open(
    { engine, model, tuner, values }: TunedLanguageModel,
    options: EngineOpenOptions,
  ): Promise<EncoderDecoderLanguageModel> {
    const graph = encoderGraph(model, tuner);
    const encoder = await CachedSession.open(engine, graph, values, options);
    try {
      const decoder = await CachedSession.open(engine, decoderGraph(model, tuner), values, options);
      return new EncoderDecoderLanguageModel(model.config, graph.encoded, encoder, decoder);
    } catch (error) {
      await encoder.release().catch(() => {});
      throw error;
    }
  }

  async encode(tokens: Int32Array, rows: number, mask: Int32Array): Promise<void> {
    const source = tokens.length / rows;
    const tokenTypeIds = new Int32Array(tokens.length);
    const batch = { inputIds: tokens, tokenTypeIds, attentionMask: mask, batch: rows, length: source };
    await this.#encode(modelFeeds(batch), mask, source);
  }

  /** The decoder reads no mask, because silence is not masked. */
  hear(feeds: Tensors): Promise<void> {
    return this.#encode(feeds, new Int32Array(0), 0);
  }

  async #encode(feeds: Tensors, mask: Int32Array, source: number): Promise<void> {
    const outputs = await this.#encoder.run(feeds);
    const tensors = new Map(this.#encoded.map(({ name }) => [PAST + name, outputs[PRESENT + name]!]));
    this.#prompts = { tensors, mask, source };
    this.#promptOf = undefined;
  }

  async read(tokens: Int32Array, rows: number, { parents }: ReadOptions): Promise<Float32Array> {
    const before = this.#promptOf;
    if (before === undefined) {
      this.#decoder.reset(rows);
      this.#follow(Int32Array.from({ length: rows }, (_, row) => row));
    } else if (parents) {
      this.#decoder.follow(parents);
      this.#follow(parents.map((parent) => before[parent]!));
    }
    const count = tokens.length / rows;
    const ids = { decoder_input_ids: sequenceMajor(tokens, rows, count) };
    const { logits } = await this.#decoder.run({ ...this.#feeds, ...ids });
    return logits!.data as Float32Array;
  }

  release(): Promise<void> {
    return releaseAll([this.#encoder, this.#decoder]);
  }

  #follow(promptOf: Int32Array): void {
    if (this.#promptOf?.join() === promptOf.join()) return;
    if (!this.#prompts) throw new Error('the decoder reads before the encoder');
    const { tensors, mask, source } = this.#prompts;
    const attentionMask = new Int32Array(promptOf.length * source);
    promptOf.forEach((prompt, row) => {
      attentionMask.set(mask.subarray(prompt * source, (prompt + 1) * source), row * source);
    });
    this.#promptOf = promptOf;
    this.#feeds = {
      ...(this.#isMasked && { attention_mask: { data: attentionMask, dims: [promptOf.length, source] } }),
      ...Object.fromEntries([...tensors].map(([name, tensor]) => [name, selectColumns(tensor, promptOf)])),
    };
  }
}

/** Selects columns of [tokens, rows, width] by index; an index may repeat. Returns [tokens, columns, width]. */
function selectColumns({ data, dims }: HostTensor, columns: Int32Array): HostTensor {
  const [tokens, rows, width] = dims as [number, number, number];
  if (columns.length === rows && columns.every((column, i) => column === i)) return { data, dims };
  const selected = new Float32Array(tokens * columns.length * width);
  let at = 0;
  for (let token = 0; token < tokens; token++) {
    for (const column of columns) {
      const from = (token * rows + column) * width;
      selected.set(data.subarray(from, from + width), at);
      at += width;
    }
  }
  return { data: selected, dims: [tokens, columns.length, width] };
}

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
