/** A language model with a cache. Rows are sequences. */
export interface LanguageModel {
  /** Width of the logits. */
  readonly vocabSize: number;
  /** `max_position_embeddings`, if the config has it: the limit of the default length. */
  readonly maxPositions?: number;
  /**
   * Present if an encoder reads the prompts, [rows, count] row-major, padded on the right (mask: 1 real, 0 padding). In
   * this case, `read` runs the decoder; in its first call, row i belongs to prompt i.
   */
  encode?(tokens: Int32Array, rows: number, mask: Int32Array): Promise<void>;
  /**
   * Reads `tokens` (row-major [rows, count]) after the tokens of each row's parent. A call with a mask starts over
   * with whole prompts (encoder-decoder: the start token); other calls have one token per row. A row may have any
   * number of children. The caller may use the result until the next call.
   * @returns logits [rows, vocabSize] after the last token
   */
  read(tokens: Int32Array, rows: number, options: ReadOptions): Promise<Float32Array>;
}

export interface ReadOptions {
  /** `parents[i]`: the row of the previous call that row i continues. Undefined: the same rows. */
  parents?: Int32Array;
  /** In the first call of a generation, [rows, count]: 1 real, 0 padding on the left. */
  mask?: Int32Array;
  /** Aborts the reading of a long prompt with the signal's reason. */
  signal?: AbortSignal;
}
