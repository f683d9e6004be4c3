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
