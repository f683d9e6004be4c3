import { InvalidFile, UserError } from '../../support/user-error.ts';
import { type Files, readFile } from '../formats/files.ts';
import { convertTokenizer } from './convert/convert-tokenizer.ts';
import { SENTENCEPIECE_FILE } from './convert/read-sentencepiece.ts';
import { jsonFile, type SlowTokenizer } from './convert/slow-tokenizer.ts';
import { TextTokenizer, type TokenizerOptions } from './tokenizer.ts';

/** The files of a tokenizer, by their names in a model's folder. */
export const TOKENIZER_FILES = { tokenizer: 'tokenizer.json', config: 'tokenizer_config.json' } as const;

/** Files of BERT's and DeBERTa's kind that can replace a missing tokenizer.json. */
const SLOW_FILES = [SENTENCEPIECE_FILE, 'vocab.txt'];
/** Further files to read with them. config.json contains the model's type. */
const SLOW_NOTES = ['special_tokens_map.json', 'added_tokens.json', 'config.json'];

/** Maximum size of tokenizer.json, three times the largest of known models (Gemma's 33 MB). */
export const MAX_TOKENIZER_BYTES = 100 * 2 ** 20;
const MAX_SLOW_BYTES = 16 * 2 ** 20;

/**
 * Reads the files that {@link buildTokenizer} needs, by name.
 *
 * @throws UserError for a file that is too large
 */
export async function readTokenizerFiles(files: Files): Promise<Map<string, Uint8Array>> {
  const fast = await readFile(files, TOKENIZER_FILES.tokenizer, MAX_TOKENIZER_BYTES);
  const names = [TOKENIZER_FILES.config, ...(fast ? [] : [...SLOW_FILES, ...SLOW_NOTES])];
  const others = await Promise.all(names.map((name) => readFile(files, name, MAX_SLOW_BYTES)));
  const read: [string, Uint8Array | undefined][] = names.map((name, i) => [name, others[i]]);
  read.unshift([TOKENIZER_FILES.tokenizer, fast]);
  return new Map(read.filter((one): one is [string, Uint8Array] => one[1] !== undefined));
}

/**
 * Builds a tokenizer from tokenizer.json, or from the files of older models, as transformers does.
 *
 * @param files by name
 * @param where the path of a file, for messages
 * @throws UserError for missing or damaged files, and for a tokenizer that cannot be built
 */
export function buildTokenizer(
  files: ReadonlyMap<string, Uint8Array>,
  where: (name: string) => string,
  options: TokenizerOptions,
): TextTokenizer {
  try {
    const { tokenizer, config } = tokenizerJsons(files, where);
    return new TextTokenizer(tokenizer, config, options);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const source = [TOKENIZER_FILES.tokenizer, ...SLOW_FILES].find((name) => files.has(name))!;
    throw new InvalidFile({
      where: where(source),
      fault: `is not a readable tokenizer: ${(error as Error).message}`,
    });
  }
}

/**
 * The contents of tokenizer.json and tokenizer_config.json. Without tokenizer.json, they are converted from older
 * files.
 *
 * @throws as {@link buildTokenizer}; a plain Error for a damaged file
 */
export function tokenizerJsons(
  files: ReadonlyMap<string, Uint8Array>,
  where: (name: string) => string,
): { tokenizer: object; config: object } {
  const slow: SlowTokenizer = { file: (name) => files.get(name), where, config: {} };
  const isFast = files.has(TOKENIZER_FILES.tokenizer);
  const config = files.has(TOKENIZER_FILES.config) ? jsonFile(slow, TOKENIZER_FILES.config) : undefined;
  if (!isFast && !SLOW_FILES.some((name) => files.has(name)))
    throw missingTokenizerFile(where(TOKENIZER_FILES.tokenizer));
  if (isFast && !config) throw missingTokenizerFile(where(TOKENIZER_FILES.config));
  return isFast
    ? { tokenizer: jsonFile(slow, TOKENIZER_FILES.tokenizer), config: config! }
    : convertTokenizer({ ...slow, config: (config ?? {}) as Record<string, unknown> });
}

function missingTokenizerFile(where: string): UserError {
  const hint = 'Save it beside the model with AutoTokenizer.from_pretrained(...).save_pretrained(...).';
  return new UserError({ where, fault: 'does not exist', hint, code: 'not_found' });
}
