import { UserError } from '../../support/user-error.ts';
import { folderNames, merged, type Settings } from './settings.ts';

/** A row of a table, on one task: its settings, and the choices to try before the final runs. */
export interface Cell {
  row: string;
  task: string;
  /** The row's settings, by dotted keys. */
  settings: Settings;
  /** A whole config without its seed and output. */
  config: Record<string, unknown>;
  /** The choices to try. With fewer than two, nothing is tried. */
  grid: readonly Settings[];
  /** The scores shown in tables. Statistical tests compare the first. Default: the score that chooses the best model. */
  scores?: readonly string[];
  /** The scores that the paper reports, as printed. */
  paper?: Readonly<Record<string, number>>;
  /**
   * Number of training examples in the paper. With `least`, it is a minimum. The paper's scores are shown
   * only for runs with a matching number of examples.
   */
  paperExamples?: { count: number; least: boolean };
}

/** How the settings of a grid are chosen. */
export interface Tuning {
  /** Share of the training rows held out to compare the choices. With 0, the validation set is used instead. */
  heldOut: number;
  seed: number;
  /**
   * Points of a run, in percent, at which the worse half of the choices is dropped. The best choice after
   * the last point is trained to the end.
   */
  halving: readonly number[];
}

/** Rows on tasks. Each cell is tuned, and then trained with several seeds. */
export interface Experiment {
  title: string;
  /** Folder for tables and configs. */
  output: string;
  /** Parent folder of the runs' folders. */
  folder: string;
  cells: readonly Cell[];
  seeds: readonly number[];
  tuning: Tuning;
  /** Returns the cell with which a cell of the same task is compared. */
  comparedWith(cell: Cell): Cell | undefined;
  /** Whether the table shows each row's mean over all tasks. */
  average?: boolean;
  /** Whether the final runs are also scored on held-out rows. A sweep chooses among them. */
  holdsOutFinals?: boolean;
}

export interface ExperimentRun {
  /** Path of the run's folder below `folder`. */
  name: string;
  cell: Cell;
  config: Record<string, unknown>;
}

/** Path of the folder of {@link finalRun}. */
export function finalName(cell: Cell, seed: number): string {
  return `${placeOf(cell)}/seed-${seed}`;
}

/** The keys of `data` with which a run holds rows out. Every run of a cell holds out the same rows. */
export function heldOutData(share: number): { validation?: string } {
  return share > 0 ? { validation: `${Number((100 * share).toPrecision(6))}%` } : {};
}

/** The run of a cell with the chosen settings and a seed. */
export function finalRun({ folder }: Experiment, cell: Cell, choice: Settings, seed: number): ExperimentRun {
  const name = finalName(cell, seed);
  const config = merged(cell.config, choice);
  return { name, cell, config: { ...config, output: `${folder}/${name}`, seed } };
}

/**
 * The run that tries one choice of a cell's grid.
 *
 * @param index index of the choice in the grid
 * @param until percent of the run after which it stops
 */
export function tuningRun(
  { folder, tuning }: Experiment,
  cell: Cell,
  index: number,
  until: number,
): ExperimentRun {
  const name = `${placeOf(cell)}/tuning/${folderNames(cell.grid)[index]}`;
  const config = merged(merged(cell.config, cell.grid[index]!), {
    data: heldOutData(tuning.heldOut),
    ...(until < 100 && { training: { stop_at_step: `${until}%` } }),
  });
  return { name, cell, config: { ...config, output: `${folder}/${name}`, seed: tuning.seed } };
}

/** The path of a cell: `glue/cola/lora-0.16` for row "LoRA 0.16%" on `glue/cola`. */
export function placeOf({ task, row }: Pick<Cell, 'task' | 'row'>): string {
  return `${slug(task)}/${slug(row)}`;
}

function slug(name: string): string {
  const plain = name.toLowerCase().replace(/[^\w.+/-]+/g, '-');
  return plain.replace(/^[-.]+|[-.]+$/g, '') || '-';
}

/** The first folder of two cells; undefined if each has its own. */
export function sharedPlace(cells: readonly Cell[]): string | undefined {
  const places = cells.map(placeOf);
  return places.find((place, i) => places.indexOf(place) !== i);
}

/** A larger number is probably an error in the file. All runs have their folders in one parent folder. */
const MAX_RUNS = 10_000;

/** Throws a UserError for too many runs. */
export function assertCount(runs: number, where: string): void {
  if (runs > MAX_RUNS)
    throw new UserError({ where, fault: `has ${runs} runs, more than the maximum of ${MAX_RUNS}` });
}
