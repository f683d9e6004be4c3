import { z } from 'zod';
import { type Problem, shown } from '../support/problem.ts';

const path = z.string().min(1);

/** A set's name stands in the names of its scores: `eval_<set>_<score>`. */
const SET_NAME = /^[a-z\d][\w-]*$/i;

/** A file to validate on, or several: a list of them, or a section that names each. */
const validation = z.union([path, z.array(path).min(1), z.record(z.string(), path)], {
  error:
    'expected a file, a share of the training rows like 10%, a list of files, or a section that gives each file a name',
});

/** What every task's `data` section says of its files. */
export const dataFiles = {
  /** A data set of the Hub, `owner/name`: then `train` and `validation` name its splits, by default `train` and `validation`. */
  dataset: path.optional(),
  /** Which of its parts, if it has several. */
  subset: path.optional(),
  /** Of this task's formats. */
  train: path.default(''),
  /**
   * One file, or several that are each scored by themselves: MNLI's matched and mismatched. Or a share of the rows of
   * `train`, such as `10%`, which are not learnt from then.
   */
  validation: validation.optional(),
};

export type ValidationFiles = z.output<typeof validation>;

/** The share of the training rows that is to be validated on; undefined where files are named, or none. */
export function heldOutShare(validation: ValidationFiles | undefined): number | undefined {
  const [, percent] =
    /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(typeof validation === 'string' ? validation : '') ?? [];
  return percent === undefined ? undefined : Number(percent) / 100;
}

/** A set to validate on. */
export interface ValidationSet {
  name: string;
  path: string;
}

/** The sets to validate on in their order: the first decides which model is best where nothing else is said. */
export function validationSets(validation: ValidationFiles | undefined): ValidationSet[] {
  if (validation === undefined) return [];
  if (typeof validation === 'string') return [{ name: stem(validation), path: validation }];
  if (Array.isArray(validation)) return validation.map((path) => ({ name: stem(path), path }));
  return Object.entries(validation).map(([name, path]) => ({ name, path }));
}

/** What a `data` section says of where its rows are. */
export interface DataPlaces {
  dataset?: string;
  subset?: string;
  train: string;
  validation?: ValidationFiles;
}

/** Those among them that are files of their own. */
export function validationFiles(validation: ValidationFiles | undefined): ValidationSet[] {
  return heldOutShare(validation) === undefined ? validationSets(validation) : [];
}

/** The same with the splits that a data set of the Hub has by default. */
export function withSplits<Data extends DataPlaces>(data: Data, validates: boolean): Data {
  if (data.dataset === undefined) return data;
  const validation = data.validation ?? (validates ? 'validation' : undefined);
  return { ...data, train: data.train || 'train', ...(validation && { validation }) };
}

/** What is wrong with where rows are. */
export function placeProblems({ dataset, subset, train, validation }: DataPlaces): Problem[] {
  const problems = validationProblems(validation);
  if (train === '' && dataset === undefined) {
    const hint = 'Write it into the file, or give --set data.train=...';
    problems.push({ path: ['data', 'train'], expected: 'a text', got: 'nothing', hint });
  }
  if (subset !== undefined && dataset === undefined)
    problems.push({ path: ['data', 'subset'], expected: 'data.dataset beside it', got: shown(subset) });
  return problems;
}

/** Prefixes of the names of scores, by the sets that they are of. */
export function scorePrefixes(validation: ValidationFiles | undefined): string[] {
  const sets = validationSets(validation);
  return sets.length > 1 ? sets.map(({ name }) => `${name}_`) : [''];
}

/** What is wrong with the names of several sets. */
export function validationProblems(validation: ValidationFiles | undefined): Problem[] {
  const share = heldOutShare(validation);
  if (share !== undefined && !(share > 0 && share < 1))
    return [
      { path: ['data', 'validation'], expected: 'more than 0% and less than 100%', got: shown(validation) },
    ];
  const names = validationSets(validation).map(({ name }) => name);
  const at = { path: ['data', 'validation'] };
  if (names.length === 0 && validation !== undefined)
    return [{ ...at, expected: 'at least one file', got: 'an empty section' }];
  if (names.length < 2) return [];
  const hint = 'Give each file a name: validation: {matched: FILE, mismatched: FILE}.';
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    return [{ ...at, expected: 'another name for each set', got: `"${twice}" twice`, hint }];
  return names
    .filter((name) => !SET_NAME.test(name))
    .map((name) => ({ ...at, expected: 'names of letters, digits, - and _', got: shown(name), hint }));
}

/** `dev_matched` of `data/MNLI/dev_matched.tsv.gz`. */
function stem(path: string): string {
  const name =
    path
      .split(/[\\/]/)
      .filter((part) => part !== '')
      .at(-1) ?? path;
  return name.replace(/(?<=.)\..*$/, '');
}
