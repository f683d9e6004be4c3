import { scoreFacts } from '../../metrics/scores.ts';
import type { RunFacts } from './run-facts.ts';

/** What a model is called: its id on the Hub, or of a folder the last name. */
export function modelName({ model }: RunFacts): string {
  return /^[\w.-]+\/[\w.-]+$/.test(model) ? model : (partsOf(model).at(-1) ?? model);
}

/** Names of files that every data set has: then its folder tells which it is. */
const EVERYONES = /^(train|training|dev|valid|validation|test|data|eval)([-_.].*)?$/i;

/** What a data set is called: `CoLA` of `data/glue/CoLA/train.tsv`, `spam` of `spam.jsonl`. */
export function dataName({ data }: RunFacts): string {
  const parts = partsOf(data.train);
  const file = parts.at(-1)?.replace(/\.\w+$/, '') ?? data.train;
  return EVERYONES.test(file) ? (parts.at(-2) ?? file) : file;
}

/** What folders are called: the last name of each, with as many before it as tell all of them apart. */
export function folderNames(paths: readonly string[]): string[] {
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

/** A score's name for people. */
export function scoreTitle(name: string): string {
  const words = name.replaceAll('_', ' ');
  return scoreFacts(name)?.title ?? words.charAt(0).toUpperCase() + words.slice(1);
}
