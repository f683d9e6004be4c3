import { defined, mapValues } from '../../support/options.ts';

/** The paths of the parts of a dataset. A test set takes part in no choice; it is scored at the end. */
export interface DataParts {
  train: string;
  validation?: string;
  test?: string;
}

/** Names of the parts of a dataset. */
const NAMES = {
  train: ['train', 'training'],
  validation: ['validation', 'valid', 'val', 'dev'],
  test: ['test', 'testing'],
};

/** Finds the parts of a dataset among the names of folders, or among the values of a column. */
export function findPartNames(names: readonly string[]): Partial<DataParts> {
  const find = (part: readonly string[]) => names.find((name) => part.includes(name.toLowerCase()));
  const found: Partial<DataParts> = defined(mapValues(NAMES, find));
  const isDivided = Object.keys(found).length > 1 || names.length === 1;
  return found.train !== undefined && isDivided ? found : {};
}

/** Some rows of a file: those with a value in a column. */
export interface RowSlice {
  path: string;
  column: string;
  value: string;
}

/** Parses `tickets.csv#split=train`. Undefined for other paths. */
export function parseSlice(path: string): RowSlice | undefined {
  const [, file, column, value] = /^(.+)#([^#=]+)=([^#=]+)$/.exec(path) ?? [];
  return file === undefined ? undefined : { path: file, column: column!, value: value! };
}
