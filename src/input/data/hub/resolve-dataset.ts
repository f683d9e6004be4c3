import { InvalidData, UserError } from '../../../support/user-error.ts';
import { explainHubError } from '../../hub/explain-hub-error.ts';
import { type ModelId, parseModelId } from '../../hub/model-id.ts';
import {
  type DownloadOptions,
  openRepository,
  type ResolveOptions,
  type readAccess,
} from '../../hub/repository.ts';
import type { ColumnClasses } from '../parquet/class-names.ts';
import { type DatasetCard, datasetCard } from './dataset-card.ts';
import { type DatasetSplit, listSubsets, splitFiles } from './split-files.ts';

/** The revision in which the Hub stores every dataset as parquet, even one that a script generates. */
const CONVERTED = 'refs/convert/parquet';
const CARD = 'README.md';

/** The datasets in the cache of the Hub. */
export interface CachedDatasets extends Pick<DownloadOptions, 'files'> {
  /** A revision's folder, with the paths of the files in it. Undefined if the revision is not in the cache. */
  snapshot(id: ModelId): { folder: string; present: string[] } | undefined;
  /** Reads a small text file; undefined if it does not exist. */
  read(folder: string, file: string): string | undefined;
  /** The path of a file in the real folder. The file itself may stay a link, because its blob has no extension. */
  realPath(folder: string, file: string): string;
}

/** The local files of a split, and the class names from the dataset's card. */
export interface ResolvedSplit {
  paths: string[];
  classes: ColumnClasses;
}

/**
 * Downloads the files of a split to the cache shared with Python.
 *
 * @throws UserError for a dataset, subset or split that does not exist or cannot be reached
 */
export async function downloadSplit(
  wanted: DatasetSplit,
  options: ResolveOptions,
  access: ReturnType<typeof readAccess>,
  cache: CachedDatasets,
): Promise<ResolvedSplit> {
  const { dataset } = wanted;
  const id = parseModelId(dataset, options.revision);
  if (!id) {
    const expected = 'a dataset on the Hub, such as owner/name';
    throw new InvalidData({ key: 'data.dataset', expected, got: JSON.stringify(dataset) });
  }
  const { cacheDir, endpoint, offline } = access;
  const cached = inCache(cache, id, wanted);
  if (cached) return cached;
  if (offline) {
    throw new UserError({
      where: `${dataset}, ${[wanted.subset, wanted.split].filter(Boolean).join(', ')}`,
      fault: `is not in the cache ${cacheDir}, and downloads are off (offline)`,
      hint: 'Unset HF_HUB_OFFLINE to download it.',
      code: 'network',
    });
  }
  try {
    return await fetched(cache, id, wanted, {
      files: cache.files,
      endpoint,
      token: access.token,
      onProgress: options.onProgress,
    });
  } catch (error) {
    throw explainHubError(error, id, endpoint, cacheDir, 'dataset');
  }
}

/** The revisions to try: the given one, then the Hub's parquet conversion. */
function listRevisions(id: ModelId): ModelId[] {
  return [id, ...(id.revision === 'main' ? [{ ...id, revision: CONVERTED }] : [])];
}

function inCache(cache: CachedDatasets, id: ModelId, wanted: DatasetSplit): ResolvedSplit | undefined {
  let card: DatasetCard | undefined;
  for (const revision of listRevisions(id)) {
    const snapshot = cache.snapshot(revision);
    if (!snapshot) continue;
    const { folder, present } = snapshot;
    card ??= cardIn(cache, folder);
    const files = splitFiles(present, revision.revision === CONVERTED ? NO_CARD : card, wanted);
    if (files) return resolved(cache, folder, files, card, wanted);
  }
  return undefined;
}

async function fetched(
  cache: CachedDatasets,
  id: ModelId,
  wanted: DatasetSplit,
  options: DownloadOptions,
): Promise<ResolvedSplit> {
  let card: DatasetCard | undefined;
  let subsets: string[] = [];
  for (const revision of listRevisions(id)) {
    const repository = await openRepository(revision, 'dataset', options).catch((error: unknown) => {
      // The Hub has not converted every dataset to parquet.
      if (revision.revision !== CONVERTED || Object(error).statusCode !== 404) throw error;
      return undefined;
    });
    if (!repository) break;
    const { paths, snapshot } = repository;
    if (!card && paths.includes(CARD)) await repository.fetch(CARD);
    const isConverted = revision.revision === CONVERTED;
    card ??= cardIn(cache, snapshot);
    const files = splitFiles(paths, isConverted ? NO_CARD : card, wanted);
    subsets = subsets.concat(listSubsets(paths, wanted.split));
    for (const path of files ?? []) await repository.fetch(path);
    repository.keep();
    if (files) return resolved(cache, snapshot, files, card, wanted);
  }
  const { dataset, subset, split } = wanted;
  const hint = subsets.length > 0 ? `Its subsets: ${[...new Set(subsets)].join(', ')}.` : undefined;
  throw new UserError({
    where: `${dataset}${subset === undefined ? '' : `, ${subset}`}`,
    fault: `has no file of the split "${split}"`,
    hint: hint ?? 'Set data.subset, and name splits as on the page of the dataset.',
    code: 'not_found',
  });
}

const NO_CARD = datasetCard('');

function cardIn(cache: CachedDatasets, folder: string): DatasetCard {
  const text = cache.read(folder, CARD);
  return text === undefined ? NO_CARD : datasetCard(text);
}

function resolved(
  cache: CachedDatasets,
  folder: string,
  files: string[],
  card: DatasetCard,
  { subset }: DatasetSplit,
): ResolvedSplit {
  return { paths: files.map((path) => cache.realPath(folder, path)), classes: card.classes(subset) };
}
