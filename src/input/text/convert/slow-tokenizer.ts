import { InvalidFile, UserError } from '../../../support/user-error.ts';
import type { Role } from '../special-tokens.ts';
import type { PostProcessorConfig, TokenizerJson } from '../steps/tokenizer-json.ts';

/**
 * Parses a template in the Rust library's notation: tokens separated by spaces, and `$A` and `$B` for the texts. Each
 * may have a suffix `:type`, by default 0.
 *
 * @throws Error for a token without an id
 */
export function template(
  single: string,
  pair: string,
  idOf: (token: string) => number | undefined,
): PostProcessorConfig {
  const special_tokens: Record<string, { ids: number[] }> = {};
  const pieces = (text: string) =>
    text.split(' ').map((piece) => {
      const [, token, type] = piece.match(/^(.+?)(?::(\d))?$/)!;
      const type_id = Number(type ?? 0);
      if (token === '$A' || token === '$B') return { Sequence: { id: token.slice(1) as 'A' | 'B', type_id } };
      const id = idOf(token!);
      if (id === undefined) throw new Error(`the special token ${token} is not in the vocabulary`);
      special_tokens[token!] = { ids: [id] };
      return { SpecialToken: { id: token!, type_id } };
    });
  return { type: 'TemplateProcessing', single: pieces(single), pair: pieces(pair), special_tokens };
}

/** A tokenizer in the older format without tokenizer.json: its files and settings. */
export interface SlowTokenizer {
  /** Returns a file of the folder by name. */
  file(name: string): Uint8Array | undefined;
  /** Returns the path of a file, for messages. */
  where(name: string): string;
  /** The content of tokenizer_config.json. In older folders, special_tokens_map.json is merged into it. */
  config: Readonly<Record<string, unknown>>;
}

/** A special token that a tokenizer's class defines. If it is `normalized`, it is matched in normalized text. */
export interface SpecialToken {
  content: string;
  lstrip?: boolean;
  rstrip?: boolean;
  single_word?: boolean;
  normalized?: boolean;
}

/** The default special tokens of a class, by role. */
type SpecialDefaults = Partial<Record<Role, SpecialToken>>;

/** How to convert a class of older tokenizers. Tokens that were added later are handled elsewhere. */
export interface TokenizerClass {
  special: SpecialDefaults;
  /**
   * Converts the files like transformers' convert_slow_tokenizer.py.
   *
   * @param tokens the special tokens by role
   * @throws UserError for missing or damaged files
   */
  convert(slow: SlowTokenizer, tokens: Readonly<Partial<Record<Role, string>>>): TokenizerJson;
}

/**
 * Reads a text file of a tokenizer, with line ends as `\n`.
 *
 * @throws UserError if it is missing or not UTF-8
 */
export function tokenizerText(slow: SlowTokenizer, name: string): string {
  const bytes = slow.file(name);
  const where = slow.where(name);
  if (!bytes) throw new UserError({ where, fault: 'does not exist', code: 'not_found' });
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\r\n?/g, '\n');
  } catch {
    throw new InvalidFile({ where, fault: 'is not UTF-8 text' });
  }
}

/**
 * Reads the object in a JSON file of a tokenizer.
 *
 * @throws UserError if the file is missing or does not contain an object
 */
export function jsonFile(slow: SlowTokenizer, name: string): object {
  const where = slow.where(name);
  let value: unknown;
  try {
    value = JSON.parse(tokenizerText(slow, name));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new InvalidFile({ where, fault: `is not valid JSON: ${(error as Error).message}` });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new InvalidFile({ where, fault: 'is not a JSON object' });
}
