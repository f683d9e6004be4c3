import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidData, UserError } from '../../../../support/user-error.ts';
import { readText } from '../../../formats/node/read-text.ts';
import { explainHubError } from '../../../hub/explain-hub-error.ts';
import { type ModelId, parseModelId } from '../../../hub/model-id.ts';
import { hubAccess, type ResolveOptions, snapshotFolder } from '../../../hub/node/cache.ts';
import { openRepository } from '../../../hub/node/download.ts';
import type { ColumnClasses } from '../../parquet/class-names.ts';
import { type DatasetCard, datasetCard } from '../dataset-card.ts';
import { type DatasetSplit, splitFiles, subsetsOf } from '../split-files.ts';

/** The revision in which the Hub stores every dataset as parquet, even one that a script generates. */
const CONVERTED = 'refs/convert/parquet';
const CARD = 'README.md';
const MAX_CARD_BYTES = 2 ** 22;

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
export async function resolveSplit(
  wanted: DatasetSplit,
  options: ResolveOptions = {},
): Promise<ResolvedSplit> {
  const { dataset } = wanted;
  const id = parseModelId(dataset, options.revision);
  if (!id) {
    const expected = 'a dataset on the Hub, such as owner/name';
    throw new InvalidData({ key: 'data.dataset', expected, got: JSON.stringify(dataset) });
  }
  const access = hubAccess(options);
  const { cacheDir, endpoint, offline } = access;
  const cached = inCache(cacheDir, id, wanted);
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
    return await fetched(id, wanted, {
      cacheDir,
      endpoint,
      token: access.token,
      onProgress: options.onProgress,
    });
  } catch (error) {
    throw explainHubError(error, id, endpoint, cacheDir, 'dataset');
  }
}

/** The revisions to try: the given one, then the Hub's parquet conversion. */
function revisionsOf(id: ModelId): ModelId[] {
  return [id, ...(id.revision === 'main' ? [{ ...id, revision: CONVERTED }] : [])];
}

function inCache(cacheDir: string, id: ModelId, wanted: DatasetSplit): ResolvedSplit | undefined {
  let card: DatasetCard | undefined;
  for (const revision of revisionsOf(id)) {
    const folder = snapshotFolder(cacheDir, 'dataset', revision);
    if (folder === undefined || !existsSync(folder)) continue;
    // A link to a missing blob counts as missing.
    const present = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => existsSync(join(folder, path)));
    card ??= cardIn(folder);
    const files = splitFiles(present, revision.revision === CONVERTED ? NO_CARD : card, wanted);
    if (files) return resolved(folder, files, card, wanted);
  }
  return undefined;
}

async function fetched(
  id: ModelId,
  wanted: DatasetSplit,
  options: Parameters<typeof openRepository>[2],
): Promise<ResolvedSplit> {
  let card: DatasetCard | undefined;
  let subsets: string[] = [];
  for (const revision of revisionsOf(id)) {
    const repository = await openRepository(revision, 'dataset', options).catch((error: unknown) => {
      // The Hub has not converted every dataset to parquet.
      if (revision.revision !== CONVERTED || Object(error).statusCode !== 404) throw error;
      return undefined;
    });
    if (!repository) break;
    const { paths, snapshot } = repository;
    if (!card && paths.includes(CARD)) await repository.fetch(CARD);
    const isConverted = revision.revision === CONVERTED;
    card ??= cardIn(snapshot);
    const files = splitFiles(paths, isConverted ? NO_CARD : card, wanted);
    subsets = subsets.concat(subsetsOf(paths, wanted.split));
    for (const path of files ?? []) await repository.fetch(path);
    repository.keep();
    if (files) return resolved(snapshot, files, card, wanted);
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

function cardIn(folder: string): DatasetCard {
  const path = join(folder, CARD);
  return existsSync(path) ? datasetCard(readText(path, 'a card', MAX_CARD_BYTES)) : NO_CARD;
}

function resolved(
  folder: string,
  files: string[],
  card: DatasetCard,
  { subset }: DatasetSplit,
): ResolvedSplit {
  return { paths: files.map((path) => realPath(folder, path)), classes: card.classes(subset) };
}

/** The path of a file in the real folder. The file itself may stay a link, because its blob has no extension. */
function realPath(folder: string, path: string): string {
  return join(realpathSync(folder), path);
}
