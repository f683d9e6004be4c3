import { parse } from 'yaml';
import { largest } from '../../../support/numbers.ts';
import { Effort, TooMuchEffort } from '../../../support/regex/effort.ts';
import { LinearRegex } from '../../../support/regex/linear-regex.ts';
import { InvalidData, UserError } from '../../../support/user-error.ts';
import { type FolderFiles, readText } from '../../formats/files.ts';
import { checkYaml } from '../../formats/yaml-document.ts';
import { explainHubError } from '../../hub/explain-hub-error.ts';
import type { Hub } from '../../hub/hub.ts';
import { type ModelId, parseModelId } from '../../hub/model-id.ts';
import { type DownloadOptions, openRepository, type ResolveOptions } from '../../hub/repository.ts';
import { type ColumnClasses, namesIn } from '../parquet/class-names.ts';

/** The revision in which the Hub stores every dataset as parquet, even one that a script generates. */
const CONVERTED = 'refs/convert/parquet';
const CARD = 'README.md';
const MAX_CARD_BYTES = 2 ** 22;

/** The local files of a split, and the class names from the dataset's card. */
interface ResolvedSplit {
  paths: string[];
  classes: ColumnClasses;
}

/**
 * Downloads the files of a split to the cache shared with Python.
 *
 * @throws UserError for a dataset, subset or split that does not exist or cannot be reached
 */
export async function resolveSplit(
  hub: Hub,
  wanted: DatasetSplit,
  options: ResolveOptions = {},
): Promise<ResolvedSplit> {
  const { dataset } = wanted;
  const id = parseModelId(dataset, options.revision);
  if (!id) {
    const expected = 'a dataset on the Hub, such as owner/name';
    throw new InvalidData({ key: 'data.dataset', expected, got: JSON.stringify(dataset) });
  }
  const access = hub.access(options);
  const { cacheDir, endpoint, offline } = access;
  const cached = inCache(hub, cacheDir, id, wanted);
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
    return await fetched(hub, id, wanted, {
      cache: hub.disk.within(cacheDir),
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

function inCache(hub: Hub, cacheDir: string, id: ModelId, wanted: DatasetSplit): ResolvedSplit | undefined {
  let card: DatasetCard | undefined;
  for (const revision of listRevisions(id)) {
    const snapshot = hub.snapshot(cacheDir, 'dataset', revision);
    if (!snapshot?.has('')) continue;
    card ??= cardIn(snapshot);
    // A link to a missing blob counts as missing.
    const present = snapshot.listAll().filter(snapshot.has);
    const files = splitFiles(present, revision.revision === CONVERTED ? NO_CARD : card, wanted);
    if (files) return resolved(hub.disk, snapshot, files, card, wanted);
  }
  return undefined;
}

async function fetched(
  hub: Hub,
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
    const { paths } = repository;
    const snapshot = hub.disk.within(repository.snapshot);
    if (!card && paths.includes(CARD)) await repository.fetch(CARD);
    const isConverted = revision.revision === CONVERTED;
    card ??= cardIn(snapshot);
    const files = splitFiles(paths, isConverted ? NO_CARD : card, wanted);
    subsets = subsets.concat(listSubsets(paths, wanted.split));
    for (const path of files ?? []) await repository.fetch(path);
    repository.keep();
    if (files) return resolved(hub.disk, snapshot, files, card, wanted);
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

const NO_CARD: DatasetCard = { subsets: [], classes: () => ({}) };

function cardIn(snapshot: FolderFiles): DatasetCard {
  return snapshot.has(CARD) ? datasetCard(readText(snapshot, CARD, 'a card', MAX_CARD_BYTES)) : NO_CARD;
}

function resolved(
  disk: FolderFiles,
  snapshot: FolderFiles,
  files: string[],
  card: DatasetCard,
  { subset }: DatasetSplit,
): ResolvedSplit {
  // A file may stay a link, because its blob has no extension.
  const real = disk.within(snapshot.realPath(''));
  return { paths: files.map(real.path), classes: card.classes(subset) };
}

/** A part of a dataset on the Hub. */
interface DatasetSplit {
  dataset: string;
  subset?: string;
  split: string;
}

const DATA = String.raw`\.(?:parquet|jsonl|ndjson|json|csv|tsv|txt)(?:\.gz)?`;

/** The steps that a card's patterns may take for all files, about a second. */
const MAX_STEPS = 2 ** 26;

/**
 * Selects the files of a split from those of a repository. The card names them. Without a card, they are
 * found by path: `cola/train-00000-of-00001.parquet`, `cola/train/0000.parquet` or `train.csv`, each possibly
 * below `data/`. Undefined if no file matches or some are missing.
 *
 * @throws UserError for a subset or split that is not in the card, if the user must choose a subset, and for patterns
 * that take too many steps
 */
export function splitFiles(
  present: readonly string[],
  card: DatasetCard,
  { dataset, subset, split }: DatasetSplit,
): string[] | undefined {
  const named = card.subsets.filter(({ splits }) => splits.size > 0);
  const config = subset === undefined ? onlyOne(named) : named.find(({ name }) => name === subset);
  if (named.length > 0 && !config) throw unknown('data.subset', dataset, named, subset);
  const patterns = config?.splits.get(split);
  if (config && !patterns) {
    throw new UserError({
      where: `${dataset}${subset === undefined ? '' : `, ${subset}`}`,
      fault: `has no split "${split}"`,
      hint: `Its splits are ${[...config.splits.keys()].join(', ')}.`,
      code: 'not_found',
    });
  }
  const files = patterns ? matching(present, patterns, dataset) : present.filter(nameTest(subset, split));
  files.sort();
  const of = files.map((path) => Number(/-of-(\d{5})\b/.exec(path)?.[1] ?? 0));
  return files.length > 0 && files.length >= largest(of) ? files : undefined;
}

/** The subsets of a dataset without a card; each has its own folder. */
export function listSubsets(present: readonly string[], split: string): string[] {
  const shape = new RegExp(`^(?:data/)?([^/]+)/${literal(split)}(?:[-/.][^]*)?${DATA}$`);
  return [...new Set(present.flatMap((path) => shape.exec(path)?.[1] ?? []))];
}

function onlyOne(subsets: DatasetCard['subsets']) {
  return subsets.length === 1 ? subsets[0] : subsets.find(({ isDefault }) => isDefault);
}

function unknown(key: string, dataset: string, subsets: DatasetCard['subsets'], got: string | undefined) {
  const expected = `a subset of ${dataset} (${subsets.map(({ name }) => name).join(', ')})`;
  return new InvalidData({ key, expected, got: got === undefined ? 'nothing' : `"${got}"` });
}

function nameTest(subset: string | undefined, split: string): (path: string) => boolean {
  const folder = subset === undefined ? '(?:default/)?' : `${literal(subset)}/`;
  const regex = new RegExp(`^(?:data/)?${folder}${literal(split)}(?:-\\d{5}-of-\\d{5}[^/]*|/[^/]+|)${DATA}$`);
  return (path) => regex.test(path);
}

/** The files that match one of a card's patterns. */
function matching(present: readonly string[], patterns: readonly string[], dataset: string): string[] {
  const effort = new Effort(MAX_STEPS);
  try {
    const tests = patterns.map((pattern) => globTest(pattern, effort));
    return present.filter((path) => tests.some((matches) => matches(path)));
  } catch (error) {
    if (!(error instanceof TooMuchEffort)) throw error;
    throw new InvalidData({
      where: `${dataset}, README.md`,
      fault: `has file patterns that need too much work: ${error.message}`,
    });
  }
}

/**
 * Compiles a file pattern of the Hub's cards. `*` matches within a folder, `**` across folders; `?`, `{a,b}` and `[0-9]`
 * are also supported. An invalid pattern matches nothing.
 */
function globTest(pattern: string, effort: Effort): (path: string) => boolean {
  const source = pattern.replace(/\*\*\/|\*+|\?|\{[^{}]*\}|\[[\w-]+\]|[\s\S]/g, (part) => {
    if (part === '**/') return '(?:[^]*/)?';
    if (part.startsWith('*')) return part === '*' ? '[^/]*' : '[^]*';
    if (part === '?') return '[^/]';
    if (part.startsWith('{') && part.length > 1)
      return `(?:${part.slice(1, -1).split(',').map(literal).join('|')})`;
    return part.startsWith('[') && part.length > 1 ? part : literal(part);
  });
  try {
    const regex = new LinearRegex(`^(?:\\./)?${source}$`, effort);
    return (path) => regex.test(path);
  } catch (error) {
    if (error instanceof TooMuchEffort) throw error;
    return () => false;
  }
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** Most cards have a few KB, but a card with hundreds of subsets has several hundred KB. */
const MAX_LENGTH = 2 ** 20;
const MAX_ENTRIES = 150_000;

/** The description of one subset in a dataset's card (README.md). */
interface SubsetCard {
  name: string;
  /** File patterns of each split, by the split's name. */
  splits: ReadonlyMap<string, readonly string[]>;
  isDefault: boolean;
}

interface DatasetCard {
  subsets: readonly SubsetCard[];
  /** Class names by column. `subset` may be undefined if the dataset has only one. */
  classes(subset: string | undefined): ColumnClasses;
}

/** Parses the YAML at the head of a card. A damaged card is treated as empty. */
export function datasetCard(text: string): DatasetCard {
  const [, head = ''] = /^\s*---\r?\n([\s\S]*?)\r?\n---/.exec(text.slice(0, MAX_LENGTH)) ?? [];
  const { configs, dataset_info } = Object(readYaml(head)) as Record<string, unknown>;
  const infos = readList(dataset_info);
  return {
    subsets: readList(configs).flatMap(subsetCard),
    classes(subset) {
      const named = infos.find(({ config_name }) => config_name === subset);
      const info = named ?? (infos.length === 1 ? infos[0] : undefined);
      return Object.fromEntries(
        readList(info?.features).flatMap(({ name, dtype, sequence, list }) => {
          const names = namesIn(dtype) ?? namesIn(sequence) ?? namesIn(list);
          return typeof name === 'string' && names ? [[name, names]] : [];
        }),
      );
    },
  };
}

function readYaml(text: string): unknown {
  try {
    checkYaml(text, 'README.md', MAX_ENTRIES);
    return parse(text, { maxAliasCount: 10, uniqueKeys: false });
  } catch {
    return undefined;
  }
}

function subsetCard({ config_name, data_files, default: isDefault }: Record<string, unknown>): SubsetCard[] {
  if (typeof config_name !== 'string') return [];
  const splits = new Map<string, readonly string[]>();
  if (isPatterns(data_files)) splits.set('train', [data_files].flat());
  else
    for (const { split, path } of readList(data_files))
      if (typeof split === 'string' && isPatterns(path)) splits.set(split, [path].flat());
  return [{ name: config_name, splits, isDefault: isDefault === true || config_name === 'default' }];
}

function isPatterns(value: unknown): value is string | string[] {
  return typeof value === 'string' || (Array.isArray(value) && value.every((one) => typeof one === 'string'));
}

/** Returns the sections in a list. A single section counts as a list. */
function readList(value: unknown): Record<string, unknown>[] {
  const list = Array.isArray(value) ? value : [value];
  return list.filter((one) => typeof one === 'object' && one !== null);
}
