/** A token that is found in a text before anything else. */
export interface AddedToken {
  id: number;
  content: string;
  /** Whether it stands for no text. */
  special?: boolean;
  /** Whether it takes white space before or after it along. */
  lstrip?: boolean;
  rstrip?: boolean;
}

/** The parts of a tokenizer.json that are read here; the rest is for the library. */
export interface TokenizerJson {
  normalizer?: { type?: string; handle_chinese_chars?: boolean } | null;
  pre_tokenizer?: { type?: string; add_prefix_space?: boolean } | null;
  model?: { type?: string; continuing_subword_prefix?: string };
  added_tokens?: AddedToken[];
}
