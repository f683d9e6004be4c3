import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Cell, Experiment } from '../../../studies/experiments/experiment.ts';
import type { ExperimentMachine, TrainedAll } from '../../../studies/experiments/run-experiment.ts';
import { PROGRAM } from '../../../support/program.ts';
import { suggest } from '../../../support/text.ts';
import { UserError } from '../../../support/user-error.ts';
import { inShard, newCommand, repeated, type Shard, sharedOption } from '../flags.ts';
import { addKeyOptions, type KeyOptions, keySettings } from '../key-options.ts';
import { STOPPED, stopOnSignal } from '../stop-on-signal.ts';
import { shellQuoted } from '../terminal/plain-text.ts';

interface Flags extends KeyOptions {
  only: string[];
  threads?: string;
  shard?: Shard;
  resume?: boolean;
  plan?: boolean;
  json?: boolean;
}

/** The keys of a config that all rows share. */
const KEYS = [
  'output',
  'model',
  'training.num_train_epochs',
  'training.per_device_train_batch_size',
  'data.max_length',
  'threads',
];

export function compareCommand(): Command {
  const command = newCommand('compare', { isStoppable: true })
    .description(
      'Compare rows of settings: tune each on held-out training rows, train it with several seeds, and write tables, tests and figures.',
    )
    .argument(
      '<file or table>',
      'YAML config with rows (settings to compare) or a grid (each combination is a row), or a table of the AdaLoRA paper such as table1 (docs/paper.md)',
    );
  return addKeyOptions(command, KEYS)
    .option('--only <name>', 'run only this row, task, method or budget level (repeatable)', repeated, [])
    .addOption(sharedOption('shard'))
    .addOption(sharedOption('resume'))
    .option('--plan', 'print the runs and their steps, then stop')
    .addOption(sharedOption('json'))
    .action(run);
}

/** Prints the cost of an experiment, runs this shard's part, and writes the results of all shards. */
async function run(name: string, flags: Flags): Promise<void> {
  const { shard, resume, plan, json } = flags;
  const { readConfig } = await import('../load-config.ts');
  const { openComparison, withData } = await import('../../../studies/experiments/open-comparison.ts');
  const { THIS_NODE } = await import('../../../studies/jobs/node/machine.ts');
  const { RECIPE_FILES } = await import('../../../studies/recipes/node/recipe-files.ts');
  const { finalName, plannedCell, withOnly } = await import('../../../studies/experiments/experiment.ts');
  const { withOwnMethods } = await import('../own-methods.ts');
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
  const { assertNewFolder } = await import('../../../input/formats/files.ts');
  const { disk } = await import('../../../input/formats/node/folder-files.ts');
  if (!resume && !plan && shard === undefined) assertNewFolder(disk, output);
  // Tuning needs all runs of a cell, so a tuned cell belongs to one shard as a whole.
  const tunes = cells.some(({ grid }) => grid.length > 1);
  const shardCells = tunes ? inShard(cells, shard) : cells;
  const stop = stopOnSignal(() => console.error('Stopping after a checkpoint.'));
  try {
    const { THIS_MACHINE } = await import('../../../studies/experiments/node/this-machine.ts');
    if (!resume || plan) console.log(await planned(THIS_MACHINE, experiment, shardCells));
    if (plan) return;
    const { runExperiment } = await import('../../../studies/experiments/run-experiment.ts');
    const { writeResults } = await import('../../../studies/experiments/write-results.ts');
    const { runsDisplay } = await import('../terminal/runs-display.ts');
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
  const { RECIPE_FILES } = await import('../../../studies/recipes/node/recipe-files.ts');
  const { paperTables } = await import('../../../studies/recipes/package-recipes.ts');
  const tables = paperTables(RECIPE_FILES);
  if (Object.hasOwn(tables, name)) return tables[name]!;
  throw new UserError(`There is no file or table "${name}". ${suggest(name, Object.keys(tables))}`);
}

/** Describes an experiment. If the model or the data cannot be read, the text gives the reason instead of the steps. */
async function planned(
  machine: ExperimentMachine,
  experiment: Experiment,
  cells: readonly Cell[],
): Promise<string> {
  const { countSteps } = await import('../../../studies/experiments/count-steps.ts');
  const { describeExperiment } = await import('../terminal/runs-display.ts');
  try {
    return describeExperiment(experiment, cells, await countSteps(machine, experiment, cells));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `${describeExperiment(experiment, cells)}\nnot read: ${error.message}\n`;
  }
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
