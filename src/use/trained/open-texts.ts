import { readAdapterIn } from '../../input/formats/adapters/read-stored-adapter.ts';
import type { DownloadProgress } from '../../input/formats/byte-source.ts';
import type { Hub } from '../../input/hub/hub.ts';
import { hasTokens } from '../../input/text/text-files.ts';
import { readTexts } from '../../program/modalities/read-texts.ts';
import type { Texts } from '../../program/modalities/texts.ts';
import { locateTrained, resolveBase } from './locate-trained.ts';

const UNLIMITED = { vocabSize: Infinity, typeVocabSize: Infinity, maxLength: Infinity };

/**
 * Opens the texts of a run, an adapter, a model or another folder, or of a Hub id, without the limits of a model.
 *
 * @throws UserError if their files are missing or damaged
 */
export async function openTexts(
  hub: Hub,
  path: string,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<Texts> {
  const { disk } = hub;
  const isHere = disk.stat(path)?.kind === 'folder' && hasTokens(disk.within(path).list());
  const files = disk.within(isHere ? path : await findFolder(hub, path, onProgress));
  const { texts } = await readTexts(files, files, UNLIMITED);
  return texts(UNLIMITED);
}

async function findFolder(
  hub: Hub,
  path: string,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<string> {
  const { folder, kind, runModel } = await locateTrained(hub, path, { onProgress });
  if (kind === 'model') return folder;
  return resolveBase(hub, runModel ?? (await readAdapterIn(hub.disk, folder)).baseModel, folder, onProgress);
}
