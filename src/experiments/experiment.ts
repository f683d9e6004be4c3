import { folderNames, merged, type Settings } from './settings.ts';

/** A row of a table on a task: named settings, and the choices to try before the final runs. */
export interface Cell {
  row: string;
  task: string;
  /** The row's settings, by dotted keys. */
  settings: Settings;
  /** A whole config without its seed and output. */
  config: Record<string, unknown>;
  /** Settings to choose from. An empty or single choice leaves nothing to choose. */
  grid: readonly Settings[];
  /** The scores in its tables; tests compare the first. Default: every score of the task. */
  scores?: readonly string[];
  /** The paper's numbers by score, as printed. */
  paper?: Readonly<Record<string, number>>;
  /**
   * Examples in the paper's training data; `least` if a row may give several. The paper's numbers are shown only for
   * runs with the same number of examples.
   */
  paperExamples?: { count: number; least: boolean };
}

/** How the settings of a grid are chosen. */
export interface Tuning {
  /** The share of training rows held out for the choice; 0: the validation set is used. */
  heldOut: number;
  seed: number;
  /**
   * Shares of a run, in per cent, after which the worse half of a grid is dropped. The best of the remaining choices is
   * trained to the end.
   */
  halving: readonly number[];
}

/** Rows on tasks, tuned and then trained with several seeds. */
export interface Experiment {
  title: string;
  /** The folder of tables and configs. */
  output: string;
  /** The folder of the runs' folders. */
  folder: string;
  cells: readonly Cell[];
  seeds: readonly number[];
  tuning: Tuning;
  /** Returns the cell that a cell is compared with in its task's table. */
  comparedWith(cell: Cell): Cell | undefined;
  /** Whether there is a column for a row's mean over all tasks. */
  average?: boolean;
}

/** One run of an experiment. */
export interface ExperimentRun {
  /** Its folder below `folder`. */
  name: string;
  cell: Cell;
  config: Record<string, unknown>;
}

/** The run of a cell with final settings and a seed. */
export function finalRun({ folder }: Experiment, cell: Cell, choice: Settings, seed: number): ExperimentRun {
  const name = `${placeOf(cell)}/seed-${seed}`;
  return { name, cell, config: { ...merged(cell.config, choice), output: `${folder}/${name}`, seed } };
}

/**
 * The run that tries one choice of a cell's grid.
 *
 * @param index of the choice
 * @param data replaces `data.train` and `data.validation`
 * @param until per cent of the run after which it ends
 */
export function tuningRun(
  { folder, tuning }: Experiment,
  cell: Cell,
  index: number,
  { data, until }: { data: Record<string, unknown>; until: number },
): ExperimentRun {
  const name = `${placeOf(cell)}/tuning/${folderNames(cell.grid)[index]}`;
  const config = merged(merged(cell.config, cell.grid[index]), {
    data,
    ...(until < 100 && { training: { stop_at_step: `${until}%` } }),
  });
  return { name, cell, config: { ...config, output: `${folder}/${name}`, seed: tuning.seed } };
}

/** `glue/cola/lora-0.16` for row "LoRA 0.16%" on `glue/cola`. */
export function placeOf({ task, row }: Pick<Cell, 'task' | 'row'>): string {
  return `${slug(task)}/${slug(row)}`;
}

function slug(name: string): string {
  const plain = name.toLowerCase().replace(/[^\w.+/-]+/g, '-');
  return plain.replace(/^[-.]+|[-.]+$/g, '') || '-';
}
