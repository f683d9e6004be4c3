import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { readText } from '../../../formats/node/read-text.ts';
import { hubAccess, repositoriesIn, snapshotFolder } from '../../../hub/node/cache.ts';
import type { ResolveOptions } from '../../../hub/repository.ts';
import { type CachedDatasets, downloadSplit, type ResolvedSplit } from '../resolve-dataset.ts';
import type { DatasetSplit } from '../split-files.ts';

const MAX_CARD_BYTES = 2 ** 22;

/** Downloads the files of a split like {@link downloadSplit}, to the cache shared with Python. */
export async function resolveSplit(
  wanted: DatasetSplit,
  options: ResolveOptions = {},
): Promise<ResolvedSplit> {
  const access = hubAccess(options);
  return downloadSplit(wanted, options, access, datasetsIn(access.cacheDir));
}

function datasetsIn(cacheDir: string): CachedDatasets {
  return {
    files: repositoriesIn(cacheDir),
    snapshot(id) {
      const folder = snapshotFolder(cacheDir, 'dataset', id);
      if (folder === undefined || !existsSync(folder)) return undefined;
      // A link to a missing blob counts as missing.
      const present = readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .map((path) => path.replaceAll('\\', '/'))
        .filter((path) => existsSync(join(folder, path)));
      return { folder, present };
    },
    read(folder, file) {
      const path = join(folder, file);
      return existsSync(path) ? readText(path, 'a card', MAX_CARD_BYTES) : undefined;
    },
    realPath: (folder, file) => join(realpathSync(folder), file),
  };
}
