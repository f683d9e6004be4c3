import { folderNames, merged, type Settings } from './settings.ts';

/** A row of a table on a task: named settings, and what is tried before they are settled. */
export interface Cell {
  row: string;
  task: string;
  /** What the row sets, by dotted keys. */
  settings: Settings;
  /** A whole config but for its seed and output. */
  config: Record<string, unknown>;
  /** Settings to choose from. One that is empty, or a single one, leaves nothing to choose. */
  grid: readonly Settings[];
  /** The scores that its tables have; the first is the one that tests compare. Left out: every score of the task. */
  scores?: readonly string[];
  /** The paper's figures by score, as printed. */
  paper?: Readonly<Record<string, number>>;
  /** Examples of the paper's training data; `least` if a row may make several. Its figures stand beside runs on as many alone. */
  paperExamples?: { count: number; least: boolean };
}

/** How the settings of a grid are chosen. */
export interface Tuning {
  /** The share of the training rows that choose; 0: the validation set does. */
  heldOut: number;
  seed: number;
  /** Shares of a run in per cent after which the worse half of a grid ends; then the best of the rest is trained to its end. */
  halving: readonly number[];
}

/** Rows on tasks, tuned and then trained from several seeds. */
export interface Experiment {
  title: string;
  /** Where tables and configs go. */
  output: string;
  /** Where the folders of runs lie. */
  folder: string;
  cells: readonly Cell[];
  seeds: readonly number[];
  tuning: Tuning;
  /** The row that each is compared with in the tables of tasks. */
  comparedWith(cell: Cell): Cell | undefined;
  /** Whether a row's mean over all tasks has a column. */
  average?: boolean;
}

/** One run of an experiment. */
export interface ExperimentRun {
  /** Its folder below `folder`. */
  name: string;
  cell: Cell;
  config: Record<string, unknown>;
}

/** The run of a settled cell from a seed. */
export function finalRun({ folder }: Experiment, cell: Cell, choice: Settings, seed: number): ExperimentRun {
  const name = `${placeOf(cell)}/seed-${seed}`;
  return { name, cell, config: { ...merged(cell.config, choice), output: `${folder}/${name}`, seed } };
}

/**
 * The run that tries one choice of a cell's grid.
 *
 * @param index of the choice
 * @param data takes the place of `data.train` and `data.validation`
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

/** `glue/cola/lora-0.16` of row "LoRA 0.16%" on `glue/cola`. */
export function placeOf({ task, row }: Pick<Cell, 'task' | 'row'>): string {
  return `${slug(task)}/${slug(row)}`;
}

function slug(name: string): string {
  const plain = name.toLowerCase().replace(/[^\w.+/-]+/g, '-');
  return plain.replace(/^[-.]+|[-.]+$/g, '') || '-';
}
