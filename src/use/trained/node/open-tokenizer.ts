import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readAdapter } from '../../../input/formats/adapters/node/adapter-folder.ts';
import type { DownloadProgress } from '../../../input/formats/byte-source.ts';
import { holdsTokenizer } from '../../../input/text/build-tokenizer.ts';
import { loadTokenizer } from '../../../input/text/node/load-tokenizer.ts';
import type { TextTokenizer } from '../../../input/text/tokenizer.ts';
import { locateTrained, resolveBase } from './locate-trained.ts';

/**
 * Opens the tokenizer of a run, an adapter, a model or another folder, or of a Hub id. Token types are as the tokenizer
 * defines them.
 *
 * @throws UserError if it is missing or damaged
 */
export async function openTokenizer(
  path: string,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<TextTokenizer> {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const holds = isFolder && holdsTokenizer((name) => existsSync(join(path, name)));
  return loadTokenizer(holds ? path : await folderOf(path, onProgress), { typeVocabSize: Infinity });
}

async function folderOf(path: string, onProgress?: (progress: DownloadProgress) => void): Promise<string> {
  const { folder, kind, runModel } = await locateTrained(path, { onProgress });
  if (kind === 'model') return folder;
  return resolveBase(runModel ?? (await readAdapter(folder)).baseModel, folder, onProgress);
}
