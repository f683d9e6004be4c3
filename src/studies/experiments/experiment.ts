import { DEFAULT_METHOD } from '../../methods/tuners/registry.ts';
import { isObject } from '../../support/options.ts';
import { suggest } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import { type Config, folderNames, mergeSettings, type Settings } from './settings.ts';

/** A row of a table, on one task: its settings, and the choices to try before the final runs. */
export interface Cell {
  row: string;
  task: string;
  /** The row's settings, by dotted keys. */
  settings: Settings;
  /** A whole config without its seed and output. */
  config: Config;
  /** The config with all training rows, if `config` holds rows out to choose among the rows of the table. */
  whole?: Config;
  /** The choices to try. With fewer than two, nothing is tried. */
  grid: readonly Settings[];
  /** Whether its task is a recipe. A recipe whose data are missing is left out. */
  isOfRecipe?: boolean;
  /** The budget level of a recipe. */
  level?: string | undefined;
  /** The row with which it is compared. */
  comparedWith?: string | undefined;
  /** The scores shown in tables. Statistical tests compare the first. Default: the score that chooses the best model. */
  scores?: readonly string[];
  /** The published scores, as printed. */
  paper?: Readonly<Record<string, number>>;
  /**
   * Number of training examples in the paper. With `least`, it is a minimum. The paper's scores are shown
   * only for runs with a matching number of examples.
   */
  paperExamples?: { count: number; least: boolean };
}

/** How the settings of a grid are chosen. */
interface Tuning {
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
  /** Folder for tables and configs. The runs have theirs in `runs`. */
  output: string;
  /** Notes for the tables. */
  about: readonly string[];
  cells: readonly Cell[];
  seeds: readonly number[];
  tuning: Tuning;
  /** Whether the table shows each row's mean over all tasks. */
  average: boolean;
  /** The published means, by row. */
  paperAverages?: Readonly<Record<string, number>>;
  /** Whether the final runs are scored on held-out rows, to choose the best row of each method. */
  choosesRow: boolean;
}

export interface ExperimentRun {
  /** Path of the run's folder below `runs`. */
  name: string;
  cell: Cell;
  config: Config & { output: string };
}

/** Path of the folder of {@link finalRun}. */
export function finalName(cell: Cell, seed: number): string {
  return `${describePlace(cell)}/seed-${seed}`;
}

/** The share of the training rows that runs hold out, as `data.validation`. */
export function shareText(share: number): string {
  return `${Number((100 * share).toPrecision(6))}%`;
}

/** A config that holds out training rows instead of reading its validation data. Every run of a cell holds out the same. */
export function onHeldOut(config: Config, share: number): Config {
  const { data } = config;
  if (share === 0 || !isObject(data)) return config;
  return { ...config, data: { ...data, validation: shareText(share) } };
}

/** The run of a cell with the chosen settings and a seed. */
export function finalRun({ output }: Experiment, cell: Cell, choice: Settings, seed: number): ExperimentRun {
  const name = finalName(cell, seed);
  return runIn(output, name, cell, mergeSettings(cell.config, choice), seed);
}

function runIn(output: string, name: string, cell: Cell, config: Config, seed: number): ExperimentRun {
  return { name, cell, config: { ...config, output: `${output}/runs/${name}`, seed } };
}

/**
 * The run that tries one choice of a cell's grid.
 *
 * @param index index of the choice in the grid
 * @param until percent of the run after which it stops
 */
export function tuningRun(
  { output, tuning }: Experiment,
  cell: Cell,
  index: number,
  until: number,
): ExperimentRun {
  const name = `${describePlace(cell)}/tuning/${folderNames(cell.grid)[index]}`;
  const chosen = onHeldOut(mergeSettings(cell.config, cell.grid[index]!), tuning.heldOut);
  const config = until < 100 ? mergeSettings(chosen, { training: { stop_at_step: `${until}%` } }) : chosen;
  return runIn(output, name, cell, config, tuning.seed);
}

/** The whole runs that try the choices of a cell's grid. */
export function wholeTuningRuns(experiment: Experiment, cell: Cell): ExperimentRun[] {
  return cell.grid.length < 2 ? [] : cell.grid.map((_, i) => tuningRun(experiment, cell, i, 100));
}

/** The path of a cell: `glue/cola/lora-0.16` for row "LoRA 0.16%" on `glue/cola`. */
export function describePlace({ task, row }: Pick<Cell, 'task' | 'row'>): string {
  return `${slug(task)}/${slug(row)}`;
}

function slug(name: string): string {
  const plain = name.toLowerCase().replace(/[^\w.+/-]+/g, '-');
  return plain.replace(/^[-.]+|[-.]+$/g, '') || '-';
}

/** The first folder of two cells; undefined if each has its own. */
export function sharedPlace(cells: readonly Cell[]): string | undefined {
  const places = cells.map(describePlace);
  return places.find((place, i) => places.indexOf(place) !== i);
}

/** A larger number is probably an error in the file. All runs have their folders in one parent folder. */
const MAX_RUNS = 10_000;

/** Throws a UserError for too many runs. */
export function assertCount(runs: number, where: string): void {
  if (runs > MAX_RUNS)
    throw new UserError({ where, fault: `has ${runs} runs, more than the maximum of ${MAX_RUNS}` });
}

/** The content of a cell that `compare --plan --json` prints. */
export function plannedCell({ row, task, settings, paper }: Cell): object {
  return { row, task, settings, paper: paper ?? null };
}

/**
 * The cells that names select: those of the named rows, tasks, methods and budget levels.
 *
 * @throws UserError for an unknown name, and if no cell has all of them
 */
export function withOnly(experiment: Experiment, names: readonly string[]): Experiment {
  if (names.length === 0) return experiment;
  const { cells } = experiment;
  const kinds = [(cell: Cell) => cell.row, (cell: Cell) => cell.task, cellMethod, (cell: Cell) => cell.level];
  const known = [...new Set(kinds.flatMap((kind) => cells.flatMap((cell) => kind(cell) ?? [])))];
  for (const name of names)
    if (!known.includes(name))
      throw new UserError({
        key: '--only',
        expected: 'a row, a task, a method or a level of the file',
        got: name,
        hint: suggest(name, known),
      });
  const chosen = cells.filter((cell) =>
    kinds.every((kind) => {
      const named = names.filter((name) => cells.some((other) => kind(other) === name));
      return named.length === 0 || named.includes(kind(cell) ?? '');
    }),
  );
  if (chosen.length === 0)
    throw new UserError({ key: '--only', fault: `selects nothing: no row has all of ${names.join(', ')}` });
  const { paperAverages: _, ...rest } = experiment;
  return { ...rest, cells: chosen };
}

export function cellMethod({ config }: Pick<Cell, 'config'>): string {
  return `${config.method ?? DEFAULT_METHOD}`;
}
