import { largest } from '../../../support/numbers.ts';
import { Effort, TooMuchEffort } from '../../../support/regex/effort.ts';
import { LinearRegex } from '../../../support/regex/linear-regex.ts';
import { InvalidData, UserError } from '../../../support/user-error.ts';
import type { DatasetCard } from './dataset-card.ts';

/** A part of a dataset on the Hub. */
export interface DatasetSplit {
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
