import { z } from 'zod';
import { type Problem, shown } from '../support/user-error.ts';

const path = z.string().min(1);

/** The allowed names of sets. They become part of the names of scores: `eval_<set>_<score>`. */
const SET_NAME = /^[a-z\d][\w-]*$/i;

/** One validation file, or several: a list, or a section with a name for each. */
const validation = z.union([path, z.array(path).min(1), z.record(z.string(), path)], {
  error:
    'expected a file, a share of the training rows such as 10%, a number of folds such as 5 folds, a list of files, or named files',
});

/** Keys of every task's `data` section. */
export const dataFileKeys = {
  /** Dataset on the Hugging Face Hub, `owner/name`. `train` and `validation` then name its splits. */
  dataset: path.optional(),
  /** Subset of the dataset, if it has several. */
  subset: path.optional(),
  /** File of the training rows, or a list of files, whose rows are joined. */
  train: z.union([path, z.array(path).min(1)], { error: 'expected a file, or a list of files' }).default(''),
  /**
   * Validation file, or several files that are scored separately, such as MNLI's matched and mismatched. Or a share of the
   * training rows to hold out, such as `10%`. Or `5 folds`: the run is scored by cross-validation, and the final model is
   * trained on all rows.
   */
  validation: validation.optional(),
};

export type ValidationFiles = z.output<typeof validation>;

/** The share of training rows that is held out for validation. Undefined if `validation` names files or is not set. */
export function heldOutShare(validation: ValidationFiles | undefined): number | undefined {
  const [, percent] =
    /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(typeof validation === 'string' ? validation : '') ?? [];
  return percent === undefined ? undefined : Number(percent) / 100;
}

/** The number of folds of a cross-validation, as in `5 folds`. Undefined for any other value. */
export function foldCount(validation: ValidationFiles | undefined): number | undefined {
  const [, count] = /^\s*(\d+)\s+folds\s*$/.exec(typeof validation === 'string' ? validation : '') ?? [];
  return count === undefined ? undefined : Number(count);
}

/** A validation set. */
interface ValidationSet {
  name: string;
  path: string;
}

/** The validation sets, in order. By default, the first one selects the best model. */
export function validationSets(validation: ValidationFiles | undefined): ValidationSet[] {
  if (validation === undefined) return [];
  if (typeof validation === 'string') return [{ name: stem(validation), path: validation }];
  if (Array.isArray(validation)) return validation.map((path) => ({ name: stem(path), path }));
  return Object.entries(validation).map(([name, path]) => ({ name, path }));
}

/** The keys of a `data` section that say where the rows are. */
interface DataPlaces {
  dataset?: string;
  subset?: string;
  train: string | readonly string[];
  validation?: ValidationFiles;
}

/** The training files. */
export function trainingFiles({ train }: Pick<DataPlaces, 'train'>): readonly string[] {
  return typeof train === 'string' ? [train] : train;
}

/** The validation sets that have their own files. */
export function validationFiles(validation: ValidationFiles | undefined): ValidationSet[] {
  const isOfTraining = heldOutShare(validation) !== undefined || foldCount(validation) !== undefined;
  return isOfTraining ? [] : validationSets(validation);
}

/** Fills in the default splits of a dataset on the Hub. */
export function withSplits<Data extends DataPlaces>(data: Data, validates: boolean): Data {
  if (data.dataset === undefined) return data;
  const validation = data.validation ?? (validates ? 'validation' : undefined);
  return { ...data, train: data.train || 'train', ...(validation && { validation }) };
}

/** Finds problems in the keys that say where the rows are. */
export function placeProblems(data: DataPlaces): Problem[] {
  const { dataset, subset, train, validation } = data;
  const problems = validationProblems(validation);
  if (train === '' && dataset === undefined) {
    const hint = 'Set data.train in the config.';
    problems.push({ path: ['data', 'train'], fault: 'is required', hint });
  }
  if (subset !== undefined && dataset === undefined)
    problems.push({ path: ['data', 'subset'], fault: 'requires data.dataset' });
  return problems;
}

/** Prefixes of scores' names, one per validation set. */
export function scorePrefixes(validation: ValidationFiles | undefined): string[] {
  const sets = validationSets(validation);
  return sets.length > 1 ? sets.map(({ name }) => `${name}_`) : [''];
}

/**
 * The score that selects the best model of a run.
 *
 * @returns the score's name without `eval_` and without the set's name, and the index of its validation set
 */
export function chiefScore({
  data,
  training,
}: {
  data: { validation?: ValidationFiles };
  training: { metric_for_best_model: string };
}): { score: string; set: number } {
  const name = training.metric_for_best_model;
  const prefixes = scorePrefixes(data.validation);
  const set = prefixes.findIndex((prefix) => name.startsWith(prefix));
  return set < 0 ? { score: name, set: 0 } : { score: name.slice(prefixes[set]!.length), set };
}

/** Finds problems in the names of several sets. */
export function validationProblems(validation: ValidationFiles | undefined): Problem[] {
  const share = heldOutShare(validation);
  if (share !== undefined && !(share > 0 && share < 1))
    return [
      {
        path: ['data', 'validation'],
        expected: 'a share of more than 0% and less than 100%',
        got: shown(validation),
      },
    ];
  const folds = foldCount(validation);
  if (folds !== undefined && folds < 2)
    return [{ path: ['data', 'validation'], expected: 'at least 2 folds', got: shown(validation) }];
  const names = validationSets(validation).map(({ name }) => name);
  const at = { path: ['data', 'validation'] };
  if (names.length === 0 && validation !== undefined) return [{ ...at, fault: 'names no file' }];
  if (names.length < 2) return [];
  const hint = 'Name each file with letters, digits, - and _: validation: {matched: FILE, mismatched: FILE}.';
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return [{ ...at, fault: `has two sets named "${twice}"`, hint }];
  return names
    .filter((name) => !SET_NAME.test(name))
    .map((name) => ({ ...at, fault: `has a set named ${shown(name)}`, hint }));
}

/** Returns `dev_matched` for `data/MNLI/dev_matched.tsv.gz`. */
function stem(path: string): string {
  const name =
    path
      .split(/[\\/]/)
      .filter((part) => part !== '')
      .at(-1) ?? path;
  return name.replace(/(?<=.)\..*$/, '');
}
