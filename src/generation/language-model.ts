/** A language model that remembers what it has read. Rows are sequences. */
export interface LanguageModel {
  /** Width of the logits. */
  readonly vocabSize: number;
  /** `max_position_embeddings`, where the config has it: it bounds the length that is taken when none is given. */
  readonly maxPositions?: number;
  /**
   * Present where an encoder reads the prompts, [rows, count] row-major, padded on the right (mask: 1 real, 0 padding).
   * `read` then reads for the decoder, row i of the first one for prompt i.
   */
  encode?(tokens: Int32Array, rows: number, mask: Int32Array): Promise<void>;
  /**
   * Reads `tokens` (row-major [rows, count]) after what each row's parent has read. A call with a mask begins anew, and
   * has whole prompts (encoder-decoder: the start token); the others have one token a row. A row may have several
   * children, or none. What is given back belongs to the caller until the next call.
   * @returns logits [rows, vocabSize] after the last token
   */
  read(tokens: Int32Array, rows: number, options: ReadOptions): Promise<Float32Array>;
}

export interface ReadOptions {
  /** `parents[i]`: the row of the call before that row i goes on from. Undefined: the same rows. */
  parents?: Int32Array;
  /** With the first call of a generation, [rows, count]: 1 real, 0 padding on the left. */
  mask?: Int32Array;
  /** Ends the reading of a long prompt with the signal's reason. */
  signal?: AbortSignal;
}
