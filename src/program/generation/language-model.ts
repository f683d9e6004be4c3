import type { Tensors } from '../../engine/runtime/session.ts';
import type { Tuner } from '../../methods/tuners/tuner.ts';
import type { Engine, EngineOpenOptions } from '../engine.ts';
import type { TaskModel } from '../objectives/task-model.ts';

export interface LanguageModelOptions extends EngineOpenOptions {
  /** Whether a single prompt reuses the cache for its common start with the previous prompt. */
  continues?: boolean;
}

/** A language model with a cache. Each row is a sequence. */
export interface LanguageModel {
  /** Width of the logits. */
  readonly vocabSize: number;
  /** `max_position_embeddings` of the config, if it exists. It limits the default length. */
  readonly maxPositions?: number;
  /**
   * Reads the prompts with the encoder: [rows, count] row-major, padded on the right (mask: 1 real, 0
   * padding). Undefined if the model has no encoder. Afterwards, `read` runs the decoder, and in its first
   * call, row i belongs to prompt i.
   */
  encode?(tokens: Int32Array, rows: number, mask: Int32Array): Promise<void>;
  /** Like `encode`, with the model's input for files of a medium. */
  hear?(feeds: Tensors): Promise<void>;
  /**
   * Reads `tokens`, row-major [rows, count]. Row i continues its parent, a row of the previous call. With a
   * mask, a call starts again with whole prompts (encoder-decoder: with the start token). Without a mask, it
   * has one token per row. Several rows may have the same parent. The result is only valid until the next
   * call.
   * @returns logits [rows, vocabSize] after the last token
   */
  read(tokens: Int32Array, rows: number, options: ReadOptions): Promise<Float32Array>;
}

export interface ReadOptions {
  /** Row i continues row `parents[i]` of the previous call. If undefined, each row continues itself. */
  parents?: Int32Array;
  /** Only in the first call of a generation, [rows, count]: 1 real, 0 padding on the left. */
  mask?: Int32Array;
  /** Aborts the reading of a long prompt. `read` then throws the signal's reason. */
  signal?: AbortSignal;
}

/** A model with a tuner, and the engine that runs it. */
export interface TunedLanguageModel {
  engine: Engine;
  model: TaskModel;
  tuner: Tuner;
  values: Float32Array;
}
