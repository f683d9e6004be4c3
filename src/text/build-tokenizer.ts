import { UserError } from '../support/user-error.ts';
import { TextTokenizer } from './tokenizer.ts';

/** The files of a tokenizer, by their names in a model's folder. */
export const TOKENIZER_FILES = { tokenizer: 'tokenizer.json', config: 'tokenizer_config.json' } as const;

/** Three times the largest tokenizer.json of known models (Gemma's 33 MB). */
export const MAX_TOKENIZER_BYTES = 100 * 2 ** 20;

/**
 * A tokenizer of what its two files hold.
 *
 * @param where the path of its tokenizer.json for messages
 * @throws UserError where it cannot be built
 */
export function buildTokenizer(
  files: { tokenizer: object; config: object },
  where: string,
  options: { typeVocabSize: number },
): TextTokenizer {
  try {
    return new TextTokenizer(files.tokenizer, files.config, options);
  } catch (error) {
    throw new UserError({ where, expected: 'a tokenizer', got: (error as Error).message });
  }
}

/** The content of a tokenizer's file. Throws a UserError for what is no JSON object. */
export function parseTokenizerFile(bytes: Uint8Array, where: string): object {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new UserError({ where, expected: 'JSON', got: (error as Error).message });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new UserError({ where, expected: 'a JSON object', got: 'another value' });
}

/** The UserError for a tokenizer's file that is not there. */
export function missingTokenizerFile(where: string): UserError {
  const hint = 'Save it beside the model with AutoTokenizer.from_pretrained(...).save_pretrained(...).';
  return new UserError({ where, expected: 'a file', got: 'nothing', hint });
}
