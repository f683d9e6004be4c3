import type { HostTensor, Tensors } from '../../engine/runtime/session.ts';
import type { CommonConfig } from '../../models/model-definition.ts';
import { PAST, PRESENT } from '../../models/nn/key-value-cache.ts';
import { releaseAll } from '../../support/opened.ts';
import type { EngineOpenOptions } from '../engine.ts';
import { modelFeeds, sequenceMajor } from '../objectives/model-inputs.ts';
import { type CachedGraph, CachedSession, decoderGraph, encoderGraph } from './cached-session.ts';
import type { LanguageModel, ReadOptions, TunedLanguageModel } from './language-model.ts';

/**
 * An encoder-decoder. The encoder reads each prompt once. The decoder caches keys and values of its own
 * tokens and of the encoder's output.
 */
export class EncoderDecoderLanguageModel implements LanguageModel {
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
