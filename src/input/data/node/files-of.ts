import type { DownloadProgress } from '../../formats/byte-source.ts';
import type { TextFile } from '../text-file.ts';
import { dataFiles } from './text-files.ts';

/**
 * The files of a `data` section: a file, a folder, or a split of a dataset on the Hub.
 *
 * @param place a path, or the split's name
 * @throws UserError for missing and damaged files
 */
export async function filesOf(
  { dataset, subset }: { dataset?: string; subset?: string },
  place: string,
  takesFolders: boolean,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<TextFile[]> {
  if (dataset === undefined) return dataFiles(place, takesFolders);
  const { resolveSplit } = await import('../hub/node/resolve-dataset.ts');
  const { paths, classes } = await resolveSplit({ dataset, subset, split: place }, { onProgress });
  const known = Object.keys(classes).length > 0 ? classes : undefined;
  return (await Promise.all(paths.map((path) => dataFiles(path, false, known)))).flat();
}
