import type { Role } from '../special-tokens.ts';
import type { TokenizerJson } from '../steps/tokenizer-json.ts';

/** A tokenizer from before tokenizer.json: its files and settings. */
export interface SlowTokenizer {
  /** The folder's files by name. */
  file(name: string): Uint8Array | undefined;
  /** The path of a file, for messages. */
  where(name: string): string;
  /** tokenizer_config.json, merged with special_tokens_map.json in older folders. */
  config: Readonly<Record<string, unknown>>;
}

/** A special token as defined by a tokenizer's class; `normalized` ones are matched in normalized text. */
export interface SpecialToken {
  content: string;
  lstrip?: boolean;
  rstrip?: boolean;
  single_word?: boolean;
  normalized?: boolean;
}

/** The default special tokens of a class, by role. */
export type SpecialDefaults = Partial<Record<Role, SpecialToken>>;

/** How a class of slow tokenizers is converted. Tokens that were added later are handled elsewhere. */
export interface TokenizerClass {
  special: SpecialDefaults;
  /** Further special tokens. */
  additional?(slow: SlowTokenizer): string[];
  /**
   * Converts the files like transformers' convert_slow_tokenizer.py.
   *
   * @param tokens the special tokens by role
   * @throws UserError for missing or damaged files
   */
  convert(slow: SlowTokenizer, tokens: Readonly<Partial<Record<Role, string>>>): TokenizerJson;
}
