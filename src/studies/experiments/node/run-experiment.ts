import { existsSync } from 'node:fs';
import { digestOf } from '../../../input/formats/node/content-digest.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { fingerprintOf } from '../../../training/run/checkpoint.ts';
import { lastFingerprint } from '../../../training/run/checkpoint-files.ts';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import { asBegun, differencesFrom, otherRun, RUN_FILES } from '../../../training/run/run-files.ts';
import { stopStep } from '../../../training/train/trainer-settings.ts';
import { readRun } from '../../jobs/node/read-run.ts';
import { readRunRecord } from '../../report/node/read-run-record.ts';
import type { RunRecord } from '../../report/run/run-record.ts';
import { bestOf, type Tried } from '../choose.ts';
import { type Cell, type Experiment, type ExperimentRun, finalRun, tuningRun } from '../experiment.ts';
import type { TriedChoice } from '../results/results.ts';
import { predictsOneClass, type Scored, scoredAt, scoredBy, scoringRule } from '../scoring-rule.ts';
import type { Settings } from '../settings.ts';
import { filesBeside, isFinished, type TrainAllOptions, type TrainedAll, trainAll } from './train-all.ts';

/** The progress of choosing settings within a cell's grid. */
export interface Choosing {
  /** The chosen settings; undefined until the choice is made. */
  choice?: Settings;
  /** Runs that must be trained before the settings can be chosen. */
  needs: ExperimentRun[];
  /** Every choice of the grid. */
  tried: TriedChoice[];
}

/**
 * Determines the progress of a cell's choice from the results on disk, so that every process finds the same.
 *
 * @param hasFailed whether a run counts as failed, and is not tried again
 */
export function choosing(
  experiment: Experiment,
  cell: Cell,
  hasFailed: (run: ExperimentRun) => boolean,
): Choosing {
  const { grid } = cell;
  const tried: Choosing['tried'] = grid.map((choice) => ({ choice, until: 0 }));
  if (grid.length < 2) return { choice: grid[0] ?? {}, needs: [], tried };
  const { training } = parseRunConfig({ ...cell.config, output: experiment.output }, cell.row);
  let alive = grid.map((_, i) => i);
  for (const until of [...experiment.tuning.halving, 100]) {
    if (alive.length === 1) break;
    const runs = new Map(alive.map((i) => [i, tuningRun(experiment, cell, i, until)]));
    const needs = [...runs.values()].filter((run) => !isFinished(run) && !hasFailed(run));
    if (needs.length > 0) return { needs, tried };
    const scores = new Map([...runs].map(([i, run]) => [i, triedAt(run, until, training)]));
    for (const [i, { score, learnedNothing }] of scores) {
      const outcome = Number.isFinite(score)
        ? { score, ...(learnedNothing && { learnedNothing }) }
        : { failed: true };
      tried[i] = { choice: grid[i]!, until, ...outcome };
    }
    alive = bestOf(scores, training.greater_is_better, until < 100 ? Math.ceil(alive.length / 2) : 1);
  }
  return { choice: grid[alive[0]!], needs: [], tried };
}

function triedAt(run: ExperimentRun, until: number, training: Parameters<typeof scoringRule>[0]): Tried {
  if (!isFinished(run)) return { score: Number.NaN, loss: Number.NaN };
  const record = readRunRecord(run.config.output as string, run.name);
  const rule = scoringRule(training, [record]);
  const { scores, confusion } = until < 100 ? scoredIn(record, until) : scoredBy(record, rule);
  const score = scores.get(rule.metric) ?? Number.NaN;
  const learnedNothing = predictsOneClass(confusion) || (rule.greaterIsBetter && score === 0);
  return { score, loss: scores.get('loss') ?? Number.NaN, learnedNothing };
}

/** The last evaluation counts that is in the first `until` percent of a run. The run may have continued since. */
function scoredIn(record: RunRecord, until: number): Scored {
  const last = stopStep(`${until}%`, record.start?.total_steps ?? 0);
  return scoredAt(
    record,
    record.evaluations.findLast(({ step }) => step <= last),
  );
}

export function hasLeftFailure({ output }: Experiment, run: ExperimentRun): boolean {
  return existsSync(filesBeside(output, run.name).failure);
}

export interface ExperimentOptions extends TrainAllOptions {
  /** The cells of this shard. `isOwn` says which of their final runs belong to it. */
  cells: readonly Cell[];
  isOwn?(run: ExperimentRun): boolean;
}

/**
 * Chooses the settings of each cell, then trains the final runs. Finished runs are skipped. All cells train
 * with one seed before the next, so that every row has results if the experiment is stopped early.
 */
export async function runExperiment(
  experiment: Experiment,
  { cells, isOwn = () => true, ...options }: ExperimentOptions,
): Promise<TrainedAll> {
  const { output } = experiment;
  const failed: TrainedAll['failed'] = [];
  const choices = new Map<Cell, Settings>();
  const names = () => new Set(failed.map(({ name }) => name));
  for (const cell of cells) {
    if (cell.grid.length > 1) {
      await assertOwnRuns(cell.grid.map((_, i) => tuningRun(experiment, cell, i, 100)));
    }
    for (;;) {
      const { choice, needs } = choosing(experiment, cell, ({ name }) => names().has(name));
      if (choice) choices.set(cell, choice);
      if (choice) break;
      const trained = await trainAll(needs, output, options);
      failed.push(...trained.failed);
      if (trained.stopped) return { failed, stopped: true };
    }
  }
  const runs = experiment.seeds.flatMap((seed) =>
    cells.map((cell) => finalRun(experiment, cell, choices.get(cell) as Settings, seed)),
  );
  // Also checks the runs of other shards, because the table contains them.
  await assertOwnRuns(runs);
  const trained = await trainAll(runs.filter(isOwn), output, options);
  return { failed: [...failed, ...trained.failed], stopped: trained.stopped };
}

/**
 * Checks that finished runs have the current settings, because they will not be trained again.
 *
 * @throws UserError for the first run with other settings, data or model; it names the difference
 */
async function assertOwnRuns(runs: readonly ExperimentRun[]): Promise<void> {
  for (const finished of runs.filter(isFinished)) {
    const finishedConfig = parseRunConfig(finished.config, finished.name);
    const files = folderFiles(finishedConfig.output);
    const run = await readRun(asBegun(finishedConfig, files));
    // If the run has no checkpoints, only its settings can be compared.
    const known = lastFingerprint(files.within(RUN_FILES.checkpoints));
    const isOther =
      known === undefined
        ? differencesFrom(run.config, files).length > 0
        : known !== fingerprintOf(run.config, run.labels, run.files().map(digestOf));
    if (isOther) throw otherRun(run.config, files);
  }
}
