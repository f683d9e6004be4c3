/** One input of a model, without padding. */
export interface Encoding {
  /** [length] */
  inputIds: Int32Array;
  /** [length]; 0 for the first text. 1 for the second text if the model distinguishes them. */
  tokenTypeIds: Int32Array;
  /** Whether tokens were truncated. */
  truncated: boolean;
}

/** A model input with the position of each token, as in transformers' `return_offsets_mapping`. */
export interface OffsetsEncoding extends Encoding {
  /**
   * [length]; the tokens as the Rust library shows them: pieces of the vocabulary, or for an unknown token the text
   * itself.
   */
  tokens: string[];
  /** [length]; the first code point that a token represents in its text, 0 for special tokens. */
  starts: Int32Array;
  /** [length]; the code point after a token's last one, 0 for special tokens. Code points are counted as in Python. */
  ends: Int32Array;
  /** [length]; 0 for tokens of the first text, 1 for those of the second, {@link NO_SEQUENCE} for special tokens. */
  sequenceIds: Int32Array;
}

/** The sequence id of special tokens. */
export const NO_SEQUENCE = -1;
