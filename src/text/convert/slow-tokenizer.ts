import type { Role } from '../special-tokens.ts';
import type { TokenizerJson } from '../steps/tokenizer-json.ts';

/** A tokenizer as it was before tokenizer.json: its files, and what is said of it. */
export interface SlowTokenizer {
  /** The folder's files by name. */
  file(name: string): Uint8Array | undefined;
  /** The path of a file, for messages. */
  where(name: string): string;
  /** tokenizer_config.json, with what older folders have in special_tokens_map.json. */
  config: Readonly<Record<string, unknown>>;
}

/** A special token as a tokenizer's class writes it: those that are `normalized` are looked for in normalized text. */
export interface SpecialToken {
  content: string;
  lstrip?: boolean;
  rstrip?: boolean;
  single_word?: boolean;
  normalized?: boolean;
}

/** The special tokens of a class, by role, where tokenizer_config.json says nothing. */
export type SpecialDefaults = Partial<Record<Role, SpecialToken>>;

/** What a class of slow tokenizers becomes; tokens that are added later are not its concern. */
export interface TokenizerClass {
  special: SpecialDefaults;
  /** More special tokens. */
  additional?(slow: SlowTokenizer): string[];
  /**
   * As transformers' convert_slow_tokenizer.py has it.
   *
   * @param tokens the special tokens by role
   * @throws UserError for files that are missing or damaged
   */
  convert(slow: SlowTokenizer, tokens: Readonly<Partial<Record<Role, string>>>): TokenizerJson;
}
