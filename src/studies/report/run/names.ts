import { scoreDefinition } from '../../../scores/metrics/scores.ts';
import type { RunSummary } from './run-facts.ts';

/** The name of a model: its id on the Hub, or the last name of its folder. */
export function modelName({ model }: RunSummary): string {
  return /^[\w.-]+\/[\w.-]+$/.test(model) ? model : (partsOf(model).at(-1) ?? model);
}

/** File names that many datasets use. Such a dataset is named after its folder. */
const EVERYONES = /^(train|training|dev|valid|validation|test|data|eval)([-_.].*)?$/i;

/** The name of a dataset: `CoLA` for `data/glue/CoLA/train.tsv`, `spam` for `spam.jsonl`. */
export function dataName({ data }: RunSummary): string {
  if (data.dataset !== undefined)
    return [partsOf(data.dataset).at(-1), data.subset].filter((part) => part !== undefined).join(' ');
  return [data.train].flat().map(fileTitle).join(' + ');
}

function fileTitle(path: string): string {
  const parts = partsOf(path);
  const file = parts.at(-1)?.replace(/\.\w+$/, '') ?? path;
  return EVERYONES.test(file) ? (parts.at(-2) ?? file) : file;
}

/** Short names of folders: the last part of each path, and earlier parts if needed to distinguish all folders. */
export function shortFolderNames(paths: readonly string[]): string[] {
  const parts = paths.map(partsOf);
  const distinct = new Set(paths).size;
  const named = (depth: number) => parts.map((path) => path.slice(-depth).join('/'));
  for (let depth = 1; ; depth++) {
    const names = named(depth);
    if (new Set(names).size >= distinct || parts.every(({ length }) => length <= depth)) return names;
  }
}

function partsOf(path: string): string[] {
  return path.split(/[\\/]/).filter((part) => part !== '' && part !== '.' && part !== '..');
}

/** The display name of a score. */
export function scoreTitle(name: string): string {
  const words = name.replaceAll('_', ' ');
  const facts = scoreDefinition(name);
  if (!facts) return words.charAt(0).toUpperCase() + words.slice(1);
  return facts.set === undefined ? facts.title : `${facts.title}, ${facts.set}`;
}
