import { readdirSync, statSync } from 'node:fs';
import { readAdapter } from '../../../input/formats/adapters/node/adapter-folder.ts';
import type { DownloadProgress } from '../../../input/formats/byte-source.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { hasTokens } from '../../../input/text/text-files.ts';
import { readTexts } from '../../../program/modalities/read-texts.ts';
import type { Texts } from '../../../program/modalities/texts.ts';
import { locateTrained, resolveBase } from './locate-trained.ts';

const UNLIMITED = { vocabSize: Infinity, typeVocabSize: Infinity, maxLength: Infinity };

/**
 * Opens the texts of a run, an adapter, a model or another folder, or of a Hub id, without the limits of a model.
 *
 * @throws UserError if their files are missing or damaged
 */
export async function openTexts(
  path: string,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<Texts> {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const holds = isFolder && hasTokens(readdirSync(path));
  const files = folderFiles(holds ? path : await findFolder(path, onProgress));
  const { texts } = await readTexts(files, files, UNLIMITED);
  return texts(UNLIMITED);
}

async function findFolder(path: string, onProgress?: (progress: DownloadProgress) => void): Promise<string> {
  const { folder, kind, runModel } = await locateTrained(path, { onProgress });
  if (kind === 'model') return folder;
  return resolveBase(runModel ?? (await readAdapter(folder)).baseModel, folder, onProgress);
}
