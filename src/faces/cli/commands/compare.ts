import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { assertNewFolder, type FolderFiles } from '../../../input/formats/files.ts';
import { disk } from '../../../input/formats/node/folder-files.ts';
import { defaultTargets } from '../../../methods/tuners/targets/adapted-modules.ts';
import { matchTargets } from '../../../methods/tuners/targets/match-targets.ts';
import { comparison } from '../../../studies/experiments/comparison.ts';
import { comparisonFile } from '../../../studies/experiments/comparison-file.ts';
import {
  type Cell,
  type Experiment,
  type ExperimentRun,
  finalName,
  plannedCell,
  withOnly,
} from '../../../studies/experiments/experiment.ts';
import { THIS_MACHINE } from '../../../studies/experiments/node/this-machine.ts';
import type { ModelInPlace } from '../../../studies/experiments/recipe-rows.ts';
import { runExperiment, type TrainedAll } from '../../../studies/experiments/run-experiment.ts';
import type { Config } from '../../../studies/experiments/settings.ts';
import { writeResults } from '../../../studies/experiments/write-results.ts';
import type { RunMachine } from '../../../studies/jobs/machine.ts';
import { THIS_NODE } from '../../../studies/jobs/node/machine.ts';
import { RECIPE_FILES } from '../../../studies/recipes/node/recipe-files.ts';
import { packageRecipes, paperTables } from '../../../studies/recipes/package-recipes.ts';
import { type Recipe, recipeNamed } from '../../../studies/recipes/recipe.ts';
import { countedNoun } from '../../../studies/report/format.ts';
import { addUp } from '../../../support/numbers.ts';
import { PROGRAM } from '../../../support/program.ts';
import { suggest } from '../../../support/text.ts';
import { type KeyPath, UserError } from '../../../support/user-error.ts';
import { taskNamed } from '../../../tasks/registry.ts';
import type { TrainEvent } from '../../../training/run/events.ts';
import { buildModel } from '../../../use/trained/read-model.ts';
import { inShard, type Shard } from '../flags.ts';
import { type KeyOptions, keySettings } from '../key-options.ts';
import { readConfig } from '../load-config.ts';
import { withOwnMethods } from '../own-methods.ts';
import { STOPPED, stopOnSignal } from '../stop-on-signal.ts';
import { shellQuoted } from '../terminal/plain-text.ts';
import { ERASE_LINE, type Screen } from '../terminal/screen.ts';
import { type Display, trainDisplay } from '../terminal/train-display.ts';

interface Flags extends KeyOptions {
  only: string[];
  threads?: string;
  shard?: Shard;
  resume?: boolean;
  plan?: boolean;
  json?: boolean;
}

/** Prints the cost of an experiment, runs this shard's part, and writes the results of all shards. */
export default async function run(name: string, flags: Flags): Promise<void> {
  const { shard, resume, plan, json } = flags;
  const { value, where } = await withOwnMethods(readConfig(await findFile(name), keySettings(flags)));
  const read = await openComparison(THIS_NODE, RECIPE_FILES, value, where, console.error);
  const opened = withOnly(read, flags.only);
  const whole = flags.threads === undefined ? opened : onThreads(opened, Number(flags.threads));
  if (plan && json) {
    for (const cell of whole.cells) console.log(JSON.stringify(plannedCell(cell)));
    return;
  }
  const experiment = withData(THIS_NODE, whole, value, console.error);
  const { output, cells } = experiment;
  if (!resume && !plan && shard === undefined) assertNewFolder(disk, output);
  // Tuning needs all runs of a cell, so a tuned cell belongs to one shard as a whole.
  const tunes = cells.some(({ grid }) => grid.length > 1);
  const shardCells = tunes ? inShard(cells, shard) : cells;
  const stop = stopOnSignal(() => console.error('Stopping after a checkpoint.'));
  try {
    if (!resume || plan) console.log(describeExperiment(experiment, shardCells));
    if (plan) return;
    const all = experiment.seeds.flatMap((seed) => shardCells.map((cell) => finalName(cell, seed)));
    const mine = new Set(tunes ? all : inShard(all, shard));
    const trained = await runExperiment(THIS_MACHINE, experiment, {
      cells: shardCells,
      isOwn: ({ name }) => mine.has(name),
      ...runsDisplay(process.stdout, [...mine]),
      signal: stop.signal,
    });
    printTrained(output, trained, writeResults(THIS_MACHINE, experiment));
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.exitCode = STOPPED;
  } finally {
    stop.release();
  }
  if (process.exitCode === STOPPED) console.error('To continue, run the same command with --resume.');
}

/** The experiment with this number of threads in the config of every run, also of a row with another number. */
function onThreads(experiment: Experiment, threads: number): Experiment {
  const cells = experiment.cells.map((cell) => ({ ...cell, config: { ...cell.config, threads } }));
  return { ...experiment, cells };
}

/** The file with a name, or that of a table of the package. */
async function findFile(name: string): Promise<string> {
  if (existsSync(name) || /[./\\]/.test(name)) return name;
  const tables = paperTables(RECIPE_FILES);
  if (Object.hasOwn(tables, name)) return tables[name]!;
  throw new UserError(`There is no file or table "${name}". ${suggest(name, Object.keys(tables))}`);
}

/** Prints the results of several runs and sets the exit code. The table comes first, if a run is finished. */
function printTrained(
  output: string,
  { failed, stopped }: TrainedAll,
  written: { markdown: string; best: readonly string[] } | undefined,
): void {
  if (written)
    console.log(
      `\n${written.markdown}\nThe table is in ${join(output, 'table.md')}, table.json and report.html`,
    );
  for (const path of written?.best ?? [])
    console.log(`On all training rows: ${shellQuoted([PROGRAM, 'train', path])}`);
  for (const { name, message } of failed) console.error(`${name} failed:\n${message.trim()}`);
  if (failed.length > 0) process.exitCode = 1;
  if (stopped) process.exitCode = STOPPED;
}

/** A preview of an experiment: one line per row and task, then the number of runs. */
function describeExperiment({ seeds }: Experiment, cells: readonly Cell[]): string {
  const runs = countedNoun(seeds.length, 'run');
  const lines = cells.map(({ task, row, grid }) => {
    const tuning = grid.length > 1 ? `${grid.length} choices, then ` : '';
    return `${task}, ${row}: ${tuning}${runs}`;
  });
  const count = addUp(cells, ({ grid }) => seeds.length + (grid.length > 1 ? grid.length : 0));
  return `${[...lines, countedNoun(count, 'run')].join('\n')}\n`;
}

type Run = Pick<ExperimentRun, 'name' | 'config'>;

/**
 * Shows runs one after another. While a run is in progress, its line is redrawn.
 *
 * @param names the names of all runs in order; their positions are shown as numbers
 */
export function runsDisplay(screen: Screen, names: readonly string[]) {
  let current: { run: Run; display: Display } | undefined;
  // Without a terminal, only evaluations and the end of a run are shown.
  const isTold = ({ type }: TrainEvent) =>
    screen.isTTY === true || type === 'evaluation' || type === 'finish';
  const place = ({ name }: Run) =>
    names.includes(name) ? `[${names.indexOf(name) + 1}/${names.length}] ${name}` : name;
  return {
    onEvent(run: Run, event: TrainEvent): void {
      if (current?.run !== run) {
        screen.write(`${place(run)}\n`);
        const { metric_for_best_model: metric = 'loss' } = (run.config.training ?? {}) as {
          metric_for_best_model?: string;
        };
        current = { run, display: trainDisplay(screen, metric, { isTold, hasTable: false }) };
      }
      current.display.show(event);
    },
    onEnd(run: Run, failure: string | undefined): void {
      current?.display.close();
      if (failure === undefined) return;
      screen.write(`${screen.isTTY ? ERASE_LINE : ''}${place(run)} failed: ${failure.trim()}\n`);
    },
  };
}

/** Placeholder labels. Their number does not affect the adapted matrices. */
const LABELS = ['no', 'yes'];

/**
 * Parses a comparison's file, as {@link comparison} does. If its tasks are recipes, reads them, and describes the model
 * that the file names instead of theirs.
 *
 * @param recipeFiles the package's recipes
 * @param onNotice called with a message for each row that is left out
 */
async function openComparison(
  machine: Pick<RunMachine, 'model'>,
  recipeFiles: FolderFiles,
  file: Config,
  where: (path: KeyPath) => string,
  onNotice: (message: string) => void,
): Promise<Experiment> {
  const { tasks } = comparisonFile(file, where);
  const first = Object.values(tasks).find(({ recipe }) => recipe !== undefined)?.recipe;
  if (first === undefined) return comparison(file, where);
  const { recipes, budgets } = packageRecipes(recipeFiles);
  const recipe = recipeNamed(first, recipes, where(['tasks']));
  const inPlace =
    typeof file.model === 'string' ? await describeModel(machine, file.model, recipe) : undefined;
  const known = new Set<string>();
  return comparison(file, where, {
    recipes,
    budgets,
    inPlace,
    onNotice: (message) => {
      if (!known.has(message)) onNotice(message);
      known.add(message);
    },
  });
}

/**
 * Describes a model that is used instead of the recipe's: its family, and the matrices that AdaLoRA adapts.
 *
 * @throws UserError for a model that is not available, or lacks the head that the recipe's task needs
 */
async function describeModel(
  machine: Pick<RunMachine, 'model'>,
  model: string,
  { task }: Recipe,
): Promise<ModelInPlace> {
  const described = await machine.model(model);
  const { definition, linears, head } = buildModel(taskNamed(task).build(LABELS), described);
  const targets = defaultTargets({ definition, linears }, 'many');
  const paths = linears.map(({ path }) => path);
  const matched = matchTargets(paths, { target_modules: [...targets], modules_to_save: head.modules });
  return { model, modelType: definition.modelType, targets, matrices: matched.length };
}

/**
 * Leaves out the tasks of recipes whose data files are missing: a table runs on the data that is present.
 *
 * @param onNotice called with a message for each task that is left out
 * @throws UserError if no task is left
 */
function withData(
  machine: Pick<RunMachine, 'has'>,
  experiment: Experiment,
  file: Config,
  onNotice: (message: string) => void,
): Experiment {
  const { cells } = experiment;
  const there = cells.filter((cell) => !cell.isOfRecipe || missingFiles(machine, cell).length === 0);
  if (there.length === cells.length) return experiment;
  for (const task of new Set(cells.filter((cell) => !there.includes(cell)).map(({ task }) => task))) {
    const files = missingFiles(machine, cells.find((cell) => cell.task === task) as Cell);
    onNotice(`Skipping ${task}: ${files.join(', ')} is missing.`);
  }
  if (there.length === 0)
    throw new UserError({
      where: `${file.data_folder ?? 'data'}`,
      fault: 'contains no dataset for these rows',
      hint: 'Name its folder with --set data_folder=FOLDER.',
    });
  const { paperAverages: _, ...rest } = experiment;
  return { ...rest, cells: there };
}

/** The data files of a recipe that do not exist. */
function missingFiles({ has }: Pick<RunMachine, 'has'>, { config }: Cell): string[] {
  const { dataset, train, validation } = Object(config.data) as Config;
  if (dataset !== undefined) return [];
  const files = [train, typeof validation === 'object' ? Object.values(validation ?? {}) : validation].flat();
  return files.filter((file): file is string => typeof file === 'string' && !has(file));
}
