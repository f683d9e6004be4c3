import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../support/user-error.ts';
import { TextTokenizer } from '../tokenizer.ts';

/** Three times the largest tokenizer.json of known models (Gemma's 33 MB). */
const MAX_JSON_BYTES = 100 * 2 ** 20;

/**
 * The tokenizer of a model folder, from `tokenizer.json` and `tokenizer_config.json`.
 *
 * @throws UserError for a missing file, invalid JSON and a tokenizer that cannot be built.
 */
export function loadTokenizer(folder: string, options: { typeVocabSize: number }): TextTokenizer {
  const path = join(folder, 'tokenizer.json');
  const tokenizerJson = readJson(path);
  const tokenizerConfig = readJson(join(folder, 'tokenizer_config.json'));
  try {
    return new TextTokenizer(tokenizerJson, tokenizerConfig, options);
  } catch (error) {
    throw new UserError({ where: path, expected: 'a tokenizer', got: (error as Error).message });
  }
}

function readJson(path: string): object {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isFile()) {
    const hint = 'Save it beside the model with AutoTokenizer.from_pretrained(...).save_pretrained(...).';
    throw new UserError({ where: path, expected: 'a file', got: 'nothing', hint });
  }
  if (stats.size > MAX_JSON_BYTES) {
    throw new UserError({ where: path, expected: `at most ${MAX_JSON_BYTES} bytes`, got: `${stats.size}` });
  }
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError({ where: path, expected: 'JSON', got: (error as Error).message });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new UserError({ where: path, expected: 'a JSON object', got: 'another value' });
}
