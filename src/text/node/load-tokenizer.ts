import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../support/user-error.ts';
import { buildTokenizer, tokenizerFiles } from '../build-tokenizer.ts';
import type { TextTokenizer, TokenizerOptions } from '../tokenizer.ts';
import { limitTime, TookTooLong } from './limit-time.ts';

/**
 * Loads the tokenizer of a model folder: from `tokenizer.json` and `tokenizer_config.json`, or from the files of
 * older models (`spm.model`, `vocab.txt`, `vocab.json` with `merges.txt`).
 *
 * @throws UserError for a missing file, invalid JSON, or a tokenizer that cannot be built
 */
export function loadTokenizer(folder: string, options: TokenizerOptions): TextTokenizer {
  const limited = <T>(work: () => T): T => {
    try {
      return limitTime(work, MAX_MS);
    } catch (error) {
      if (!(error instanceof TookTooLong)) throw error;
      throw new UserError({
        where: folder,
        fault: `has a tokenizer whose regular expressions took longer than ${MAX_MS / 1000} s for one text`,
      });
    }
  };
  return buildTokenizer(readTokenizerFiles(folder), (name) => join(folder, name), { ...options, limited });
}

/** Maximum time for a text, in milliseconds. A text of a megabyte takes half a second. */
const MAX_MS = 10_000;

/**
 * Reads the files of a folder's tokenizer, by name.
 *
 * @throws UserError for a file that is too large
 */
export function readTokenizerFiles(folder: string): ReadonlyMap<string, Uint8Array> {
  const isFile = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() === true;
  const files = tokenizerFiles(isFile).map(({ name, maxBytes }): [string, Uint8Array] => {
    const path = join(folder, name);
    const { size } = statSync(path);
    if (size > maxBytes)
      throw new UserError({ where: path, fault: `has ${size} bytes, more than the maximum of ${maxBytes}` });
    return [name, readFileSync(path)];
  });
  return new Map(files);
}
