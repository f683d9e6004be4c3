import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../support/user-error.ts';
import {
  buildTokenizer,
  MAX_TOKENIZER_BYTES,
  missingTokenizerFile,
  parseTokenizerFile,
  TOKENIZER_FILES,
} from '../build-tokenizer.ts';
import type { TextTokenizer } from '../tokenizer.ts';

/**
 * The tokenizer of a model folder, from `tokenizer.json` and `tokenizer_config.json`.
 *
 * @throws UserError for a missing file, invalid JSON and a tokenizer that cannot be built.
 */
export function loadTokenizer(folder: string, options: { typeVocabSize: number }): TextTokenizer {
  const path = join(folder, TOKENIZER_FILES.tokenizer);
  const tokenizer = readObject(path);
  const config = readObject(join(folder, TOKENIZER_FILES.config));
  return buildTokenizer({ tokenizer, config }, path, options);
}

function readObject(path: string): object {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isFile()) throw missingTokenizerFile(path);
  if (stats.size > MAX_TOKENIZER_BYTES) {
    const expected = `at most ${MAX_TOKENIZER_BYTES} bytes`;
    throw new UserError({ where: path, expected, got: `${stats.size}` });
  }
  return parseTokenizerFile(readFileSync(path), path);
}
