import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../support/user-error.ts';
import { buildTokenizer, tokenizerFiles } from '../build-tokenizer.ts';
import type { TextTokenizer } from '../tokenizer.ts';

/**
 * The tokenizer of a model folder: from `tokenizer.json` and `tokenizer_config.json`, or from what older models have
 * (`spm.model`, `vocab.txt`, `vocab.json` with `merges.txt`).
 *
 * @throws UserError for a missing file, invalid JSON and a tokenizer that cannot be built.
 */
export function loadTokenizer(folder: string, options: { typeVocabSize: number }): TextTokenizer {
  return buildTokenizer(readTokenizerFiles(folder), (name) => join(folder, name), options);
}

/**
 * The files of a folder's tokenizer by name.
 *
 * @throws UserError for a file that is too large
 */
export function readTokenizerFiles(folder: string): ReadonlyMap<string, Uint8Array> {
  const isFile = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() === true;
  const files = tokenizerFiles(isFile).map(({ name, maxBytes }): [string, Uint8Array] => {
    const path = join(folder, name);
    const { size } = statSync(path);
    if (size > maxBytes)
      throw new UserError({ where: path, expected: `at most ${maxBytes} bytes`, got: `${size}` });
    return [name, readFileSync(path)];
  });
  return new Map(files);
}
