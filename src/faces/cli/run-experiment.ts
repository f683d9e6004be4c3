import { join } from 'node:path';
import type { Cell, Experiment } from '../../studies/experiments/experiment.ts';
import type { TrainedAll } from '../../studies/experiments/node/train-all.ts';
import type { TaskResult } from '../../studies/experiments/results/results.ts';
import { UserError } from '../../support/user-error.ts';
import { inShard, type Shard } from './shard.ts';
import { STOPPED, stopOnSignal } from './stop-on-signal.ts';

/** The common flags of commands that run an experiment. */
export interface ExperimentFlags {
  shard: Shard;
  threads?: number;
  resume?: boolean;
  plan?: boolean;
  json?: boolean;
}

/** What a command says of an experiment. */
export interface ExperimentWords {
  /** Returns notes for the tables. */
  about?(tasks: readonly TaskResult[]): readonly string[];
  /** Handles written results. Returns lines that are printed below the tables. */
  onResults?(tasks: readonly TaskResult[]): readonly string[];
  /** The paper's averages, by row. */
  paperAverages?: Readonly<Record<string, number>>;
}

/** Prints the cost of an experiment, runs this shard's part, and writes the results of all shards. */
export async function runExperimentHere(
  given: Experiment,
  { shard, threads, resume, plan, json }: ExperimentFlags,
  { about = () => [], onResults = () => [], paperAverages }: ExperimentWords = {},
): Promise<void> {
  const experiment = threads === undefined ? given : onThreads(given, threads);
  const { output, cells } = experiment;
  if (plan && json) {
    const { plannedCell } = await import('../../studies/experiments/plan.ts');
    for (const cell of cells) console.log(JSON.stringify(plannedCell(cell)));
    return;
  }
  const { assertNewFolder } = await import('../../input/formats/node/folder-files.ts');
  if (!resume && !plan && shard.of === 1) assertNewFolder(output);
  // Tuning needs all runs of a cell, so a tuned cell belongs to one shard as a whole.
  const tunes = cells.some(({ grid }) => grid.length > 1);
  const shardCells = tunes ? inShard(cells, shard) : cells;
  const stop = stopOnSignal(() => console.error('Stopping after a checkpoint.'));
  try {
    if (!resume || plan) console.log(await planned(experiment, shardCells, stop.signal));
    if (plan) return;
    const { finalName } = await import('../../studies/experiments/experiment.ts');
    const { runExperiment } = await import('../../studies/experiments/node/run-experiment.ts');
    const { writeResults } = await import('../../studies/experiments/node/write-results.ts');
    const { runsDisplay } = await import('./terminal/runs-display.ts');
    const all = experiment.seeds.flatMap((seed) => shardCells.map((cell) => finalName(cell, seed)));
    const mine = new Set(tunes ? all : inShard(all, shard));
    const trained = await runExperiment(experiment, {
      cells: shardCells,
      isOwn: ({ name }) => mine.has(name),
      ...runsDisplay(process.stdout, [...mine]),
      signal: stop.signal,
    });
    const written = writeResults(experiment, about, paperAverages);
    tellTrained(output, trained, written?.markdown, written && onResults(written.results.tasks));
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.exitCode = STOPPED;
  } finally {
    stop.release();
  }
  if (process.exitCode === STOPPED) console.error('To continue, run the same command with --resume.');
}

/** The experiment with this number of threads in the config of every run. */
function onThreads(experiment: Experiment, threads: number): Experiment {
  const cells = experiment.cells.map((cell) => ({ ...cell, config: { ...cell.config, threads } }));
  return { ...experiment, cells };
}

/**
 * Describes an experiment and its expected time on this machine. If the model or the data cannot be read, the
 * text gives the reason instead.
 */
async function planned(experiment: Experiment, cells: readonly Cell[], signal: AbortSignal): Promise<string> {
  const { estimate } = await import('../../studies/experiments/node/estimate.ts');
  const { describeExperiment } = await import('./terminal/describe-experiment.ts');
  const estimated = await estimate(experiment, cells, signal).catch((error) => {
    if (!(error instanceof UserError) || signal.aborted) throw error;
    return { steps: new Map<Cell, number>(), failure: error.message };
  });
  return describeExperiment(experiment, cells, estimated);
}

/** Prints the results of several runs and sets the exit code. The table comes first, if a run is finished. */
function tellTrained(
  output: string,
  { failed, stopped }: TrainedAll,
  markdown: string | undefined,
  remarks: readonly string[] = [],
): void {
  if (markdown !== undefined)
    console.log(`\n${markdown}\nThe table is in ${join(output, 'table.md')}, table.json and report.html`);
  for (const remark of remarks) console.log(remark);
  for (const { name, message } of failed) console.error(`${name} failed:\n${message.trim()}`);
  if (failed.length > 0) process.exitCode = 1;
  if (stopped) process.exitCode = STOPPED;
}
