import { UserError } from '../../support/user-error.ts';
import type { DatasetCard } from './dataset-card.ts';

/** A part of a data set on the Hub. */
export interface DatasetSplit {
  dataset: string;
  subset?: string;
  split: string;
}

const DATA = String.raw`\.(?:parquet|jsonl|ndjson|json|csv|tsv|txt)(?:\.gz)?`;

/** Maximum wildcards per pattern; more would make matching slow. */
const MAX_WILD = 6;

/**
 * Selects the files of a split from those of a repository. The card names them. Without a card, they are
 * found by path: `cola/train-00000-of-00001.parquet`, `cola/train/0000.parquet` or `train.csv`, each possibly
 * below `data/`. Undefined if no file matches or some are missing.
 *
 * @throws UserError for a subset or split that is not in the card, and if the user must choose a subset
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
    });
  }
  const matchers = patterns ? patterns.map(globMatcher) : [nameMatcher(subset, split)];
  const files = present.filter((path) => matchers.some((matcher) => matcher.test(path))).sort();
  const of = files.map((path) => Number(/-of-(\d{5})\b/.exec(path)?.[1] ?? 0));
  return files.length > 0 && files.length >= Math.max(...of) ? files : undefined;
}

/** The subsets of a data set without a card; each has its own folder. */
export function subsetsOf(present: readonly string[], split: string): string[] {
  const shape = new RegExp(`^(?:data/)?([^/]+)/${literal(split)}(?:[-/.][^]*)?${DATA}$`);
  return [...new Set(present.flatMap((path) => shape.exec(path)?.[1] ?? []))];
}

function onlyOne(subsets: DatasetCard['subsets']) {
  return subsets.length === 1 ? subsets[0] : subsets.find(({ isDefault }) => isDefault);
}

function unknown(key: string, dataset: string, subsets: DatasetCard['subsets'], got: string | undefined) {
  const expected = `a subset of ${dataset} (${subsets.map(({ name }) => name).join(', ')})`;
  return new UserError({ key, expected, got: got === undefined ? 'nothing' : `"${got}"` });
}

function nameMatcher(subset: string | undefined, split: string): RegExp {
  const folder = subset === undefined ? '(?:default/)?' : `${literal(subset)}/`;
  return new RegExp(`^(?:data/)?${folder}${literal(split)}(?:-\\d{5}-of-\\d{5}[^/]*|/[^/]+|)${DATA}$`);
}

/**
 * Converts a file pattern of the Hub's cards to a RegExp. `*` matches within a folder, `**` across folders;
 * `?`, `{a,b}` and `[0-9]` are also supported.
 */
function globMatcher(pattern: string): RegExp {
  if ((pattern.match(/\*+/g)?.length ?? 0) > MAX_WILD) return /(?!)/;
  const source = pattern.replace(/\*\*\/|\*+|\?|\{[^{}]*\}|\[[\w-]+\]|[\s\S]/g, (part) => {
    if (part === '**/') return '(?:[^]*/)?';
    if (part.startsWith('*')) return part === '*' ? '[^/]*' : '[^]*';
    if (part === '?') return '[^/]';
    if (part.startsWith('{') && part.length > 1)
      return `(?:${part.slice(1, -1).split(',').map(literal).join('|')})`;
    return part.startsWith('[') && part.length > 1 ? part : literal(part);
  });
  try {
    return new RegExp(`^(?:\\./)?${source}$`);
  } catch {
    return /(?!)/;
  }
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
