import { stringify } from 'yaml';
import { computeFingerprint } from '../../training/run/checkpoint.ts';
import { lastFingerprint } from '../../training/run/checkpoint-files.ts';
import { parseRunConfig } from '../../training/run/config/parse-run-config.ts';
import { readFinish, readLastStep, readTotalSteps } from '../../training/run/event-log.ts';
import type { TrainEvent } from '../../training/run/events.ts';
import { asBegun, differencesFrom, otherRun, RUN_FILES } from '../../training/run/run-files.ts';
import { stopStep } from '../../training/train/trainer-settings.ts';
import type { FolderMachine } from '../jobs/machine.ts';
import { readRun } from '../jobs/read-run.ts';
import { readRunRecord } from '../report/run/read-run-record.ts';
import type { RunRecord } from '../report/run/run-record.ts';
import {
  type Cell,
  type Experiment,
  type ExperimentRun,
  finalRun,
  tuningRun,
  wholeTuningRuns,
} from './experiment.ts';
import type { TriedChoice } from './results/results.ts';
import {
  pickBest,
  predictsOneClass,
  type Scored,
  scoredAt,
  scoredBy,
  scoringRule,
  type Tried,
} from './scoring-rule.ts';
import type { Settings } from './settings.ts';

/** The outcome of a run in another process. */
export interface ChildRun {
  /** 0 if the run finished, 130 if it was stopped. */
  code: number;
  /** The child's output on standard error. */
  message: string;
}

/** A machine on which the runs of experiments are trained, each in its own process. */
export interface ExperimentMachine extends FolderMachine {
  /** Writes a report of the runs in some folders. */
  report(folders: readonly string[], path: string): void;
  /** The versions of what trains. */
  versions: Record<string, string>;
  /**
   * Trains with a config file in another process, which has separate memory. Resumes if the run's folder has a checkpoint.
   */
  train(config: string, onEvent: (event: TrainEvent) => void, signal?: AbortSignal): Promise<ChildRun>;
}

/** The progress of choosing settings within a cell's grid. */
interface Choosing {
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
export function findChoice(
  machine: ExperimentMachine,
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
    const needs = [...runs.values()].filter((run) => !isFinished(machine, run) && !hasFailed(run));
    if (needs.length > 0) return { needs, tried };
    const scores = new Map([...runs].map(([i, run]) => [i, triedAt(machine, run, until, training)]));
    for (const [i, { score, learnedNothing }] of scores) {
      const outcome = Number.isFinite(score)
        ? { score, learnedNothing: learnedNothing || undefined }
        : { failed: true };
      tried[i] = { choice: grid[i]!, until, ...outcome };
    }
    alive = pickBest(scores, training.greater_is_better, until < 100 ? Math.ceil(alive.length / 2) : 1);
  }
  return { choice: grid[alive[0]!], needs: [], tried };
}

function triedAt(
  machine: ExperimentMachine,
  run: ExperimentRun,
  until: number,
  training: Parameters<typeof scoringRule>[0],
): Tried {
  if (!isFinished(machine, run)) return { score: Number.NaN, loss: Number.NaN };
  const record = readRunRecord(machine.folder(run.config.output), run.name);
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

interface ExperimentOptions {
  /** The cells of this shard. `isOwn` says which of their final runs belong to it. */
  cells: readonly Cell[];
  isOwn?(run: ExperimentRun): boolean;
  /** Called for each event of a run. `onEnd` is called at the end of a run. */
  onEvent?(run: ExperimentRun, event: TrainEvent): void;
  onEnd?(run: ExperimentRun, failure: string | undefined): void;
  signal?: AbortSignal;
}

/**
 * Chooses the settings of each cell, then trains the final runs. Finished runs are skipped. All cells train
 * with one seed before the next, so that every row has results if the experiment is stopped early.
 */
export async function runExperiment(
  machine: ExperimentMachine,
  experiment: Experiment,
  options: ExperimentOptions,
): Promise<TrainedAll> {
  const { output } = experiment;
  const { cells, isOwn = () => true } = options;
  const failed: TrainedAll['failed'] = [];
  const choices = new Map<Cell, Settings>();
  const hasFailed = (run: ExperimentRun) => failed.some(({ name }) => name === run.name);
  for (const cell of cells) {
    await assertOwnRuns(machine, wholeTuningRuns(experiment, cell));
    for (;;) {
      const { choice, needs } = findChoice(machine, experiment, cell, hasFailed);
      if (choice) choices.set(cell, choice);
      if (choice) break;
      const trained = await trainAll(machine, needs, output, options);
      for (const failure of trained.failed) failed.push(failure);
      if (trained.stopped) return { failed, stopped: true };
    }
  }
  const runs = experiment.seeds.flatMap((seed) =>
    cells.map((cell) => finalRun(experiment, cell, choices.get(cell) as Settings, seed)),
  );
  // Also checks the runs of other shards, because the table contains them.
  await assertOwnRuns(machine, runs);
  const trained = await trainAll(machine, runs.filter(isOwn), output, options);
  return { failed: [...failed, ...trained.failed], stopped: trained.stopped };
}

/**
 * Checks that finished runs have the current settings, because they will not be trained again.
 *
 * @throws UserError for the first run with other settings, data or model; it names the difference
 */
async function assertOwnRuns(machine: ExperimentMachine, runs: readonly ExperimentRun[]): Promise<void> {
  for (const finished of runs.filter((run) => isFinished(machine, run))) {
    const finishedConfig = parseRunConfig(finished.config, finished.name);
    const files = machine.folder(finishedConfig.output);
    const run = await readRun(machine, asBegun(finishedConfig, files));
    // If the run has no checkpoints, only its settings can be compared.
    const known = lastFingerprint(files.within(RUN_FILES.checkpoints));
    const digests = async () => (await run.digests()).map(([, digest]) => digest);
    const isOther =
      known === undefined
        ? differencesFrom(run.config, files).length > 0
        : known !== computeFingerprint(run.config, run.labels, await digests());
    if (isOther) throw otherRun(run.config, files);
  }
}

/** The outcome of several runs. */
export interface TrainedAll {
  /** Failed runs, with their messages. */
  failed: { name: string; message: string }[];
  /** Whether the signal stopped training. */
  stopped: boolean;
}

/**
 * Whether a run is complete. A run that is to end at `stop_at_step` is also complete if it has gone on from there,
 * because a later stage of the experiment extended it.
 */
export function isFinished({ folder }: ExperimentMachine, { config }: ExperimentRun): boolean {
  const files = folder(config.output);
  const ended = readFinish(files);
  if (ended && ended.reason !== 'stop_at_step') return true;
  const { stop_at_step } = Object(config.training) as { stop_at_step?: number | string };
  const stop = stopStep(stop_at_step, ended?.total_steps ?? readTotalSteps(files) ?? Infinity);
  return ended ? ended.step >= stop : readLastStep(files) > stop;
}

/**
 * Trains runs one after another, each in its folder. Finished runs are skipped.
 *
 * @param output the experiment's folder, in which the configs of the runs are written
 */
async function trainAll(
  machine: ExperimentMachine,
  runs: readonly ExperimentRun[],
  output: string,
  { onEvent, onEnd, signal }: ExperimentOptions,
): Promise<TrainedAll> {
  const failed: TrainedAll['failed'] = [];
  for (const run of runs) {
    if (signal?.aborted) return { failed, stopped: true };
    if (isFinished(machine, run)) continue;
    const { folder, config, failure } = filesBeside(machine, output, run.name);
    folder.write(config, stringify(run.config, { aliasDuplicateObjects: false }));
    folder.remove(failure);
    const tell = (event: TrainEvent) => onEvent?.(run, event);
    const { code, message } = await machine.train(folder.path(config), tell, signal);
    if (signal?.aborted) return { failed, stopped: true };
    if (code !== 0) {
      failed.push({ name: run.name, message });
      folder.write(failure, message);
    }
    onEnd?.(run, code === 0 ? undefined : message);
  }
  return { failed, stopped: false };
}

/** A run's files outside its folder: its config and its failure message. The tables of all shards need them. */
export function filesBeside(machine: ExperimentMachine, output: string, name: string) {
  const own = name.replaceAll('/', '-');
  const folder = machine.folder(output).within('configs');
  return { folder, config: `${own}.yaml`, failure: `${own}.failed.txt` };
}
