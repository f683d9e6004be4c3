import { type HeldOut, holdOut, splitFolds } from '../../input/data/split-rows.ts';
import type { TextFile } from '../../input/data/text-file.ts';
import { UserError } from '../../support/user-error.ts';
import { foldCount, heldOutShare } from '../../tasks/data-files.ts';
import type { AnyTask } from '../../tasks/task-definition.ts';
import type { Chosen } from '../../training/run/config/resolve-config.ts';
import type { ParsedConfig, RunConfig } from '../../training/run/config/run-config.ts';

/** The files of a source of rows. */
export interface NamedFiles {
  name: string;
  files: readonly TextFile[];
}

/** How a run is scored: its config with a validation set, or without one. */
export interface Scoring<Config> {
  config: Config;
  chosen: readonly Chosen[];
}

/** The rows of a run, as its task reads them. */
export interface RunRows {
  /** All rows of the training files. */
  all: unknown;
  /** Number of rows in the training files. Undefined if examples are not rows. */
  count: number | undefined;
  /** The rows that are trained on. */
  train: unknown;
  /** Number of training examples. Undefined if examples are not rows. */
  trained: number | undefined;
  validation: readonly { name: string; rows: unknown }[];
  /** Whether the validation rows are a share of the training files. */
  isHeldOut: boolean;
  /** For a cross-validation, the numbers of the rows on both sides of each fold. */
  folds: readonly HeldOut<number[]>[] | undefined;
}

/** Facts about the rows for the choice of a scoring. */
export interface RowCounts {
  rows: number;
  canHoldOut(share: number): boolean;
  canFold(count: number): boolean;
}

/**
 * Reads the rows of a run, and divides them into those that are trained on and those that judge.
 *
 * @param scoringOf chooses how the run is scored
 * @throws UserError for bad rows, with their lines
 */
export function readRunRows<Config extends RunConfig | ParsedConfig>(
  task: AnyTask,
  parsed: ParsedConfig,
  files: { train: readonly NamedFiles[]; validation: readonly NamedFiles[] },
  scoringOf: (counts: RowCounts) => Scoring<Config>,
): { rows: RunRows; scoring: Scoring<Config> } {
  const parts = files.train.map(({ files }) => task.files.read(files, parsed.data));
  const all = joined(task, parts);
  const count = task.files.countRows?.(all);
  const split = (share: number) => splitRows(task, all, parsed.data, share);
  const scoring = scoringOf({
    rows: count ?? 0,
    canHoldOut: (share) => isPossible(() => split(share)),
    canFold: (count) => isPossible(() => foldRows(task, all, parsed.data, count)),
  });
  const { data } = scoring.config;
  const share = heldOutShare(data.validation);
  const held = share === undefined ? undefined : split(share);
  const train = held ? held.train : all;
  const folded = foldCount(data.validation);
  return {
    scoring,
    rows: {
      all,
      count,
      train,
      trained: task.files.countRows?.(train),
      validation: held
        ? [{ name: 'validation', rows: held.validation }]
        : files.validation.map(({ name, files }) => ({ name, rows: task.files.read(files, data) })),
      isHeldOut: held !== undefined,
      folds: folded === undefined ? undefined : foldRows(task, train, data, folded),
    },
  };
}

/** Joins the rows of several sources. */
export function joined(task: AnyTask, parts: readonly unknown[]): unknown {
  return parts.length === 1 ? parts[0] : task.files.join(parts);
}

/** Holds out a share of the rows. Undefined if the task's rows cannot be split. */
export function splitRows(
  { files }: AnyTask,
  rows: unknown,
  reading: object,
  share: number,
): HeldOut<unknown> | undefined {
  const splittable = files.splittable?.(rows, reading);
  return splittable && holdOut(splittable, share);
}

/** Splits the numbers of rows into folds. Undefined if the task's rows cannot be split. */
function foldRows(
  { files }: AnyTask,
  rows: unknown,
  reading: object,
  count: number,
): HeldOut<number[]>[] | undefined {
  const splittable = files.splittable?.(rows, reading);
  return splittable && splitFolds({ ...splittable, pick: (numbers) => [...numbers] }, count);
}

function isPossible(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
