import { join } from 'node:path';
import { folderFiles } from '../../src/input/formats/node/folder-files.ts';
import { buildTokenizer, readTokenizerFiles } from '../../src/input/text/build-tokenizer.ts';
import type { TextTokenizer, TokenizerOptions } from '../../src/input/text/tokenizer.ts';

/**
 * Loads the tokenizer of a model folder: from `tokenizer.json` and `tokenizer_config.json`, or from the files of
 * older models (`spm.model`, `vocab.txt`).
 *
 * @throws UserError for a missing file, invalid JSON, or a tokenizer that cannot be built
 */
export async function loadTokenizer(folder: string, options: TokenizerOptions): Promise<TextTokenizer> {
  const files = await readTokenizerFiles(folderFiles(folder));
  return buildTokenizer(files, (name) => join(folder, name), options);
}
