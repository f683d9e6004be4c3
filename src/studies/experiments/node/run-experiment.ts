import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { digestOf } from '../../../input/formats/node/content-digest.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { withoutLaunch } from '../../../program/parallel/node/launch.ts';
import { withParent } from '../../../support/node/process-status.ts';
import { fingerprintOf } from '../../../training/run/checkpoint.ts';
import { lastFingerprint } from '../../../training/run/checkpoint-files.ts';
import { parseRunConfig } from '../../../training/run/config/parse-run-config.ts';
import { finishOf, lastStepOf, totalStepsOf } from '../../../training/run/event-log.ts';
import { readEvent, type TrainEvent } from '../../../training/run/events.ts';
import { asBegun, differencesFrom, otherRun, RUN_FILES } from '../../../training/run/run-files.ts';
import { stopStep } from '../../../training/train/trainer-settings.ts';
import { readRun } from '../../jobs/node/read-run.ts';
import { readRunRecord } from '../../report/node/read-run-record.ts';
import type { RunRecord } from '../../report/run/run-record.ts';
import { type Cell, type Experiment, type ExperimentRun, finalRun, tuningRun } from '../experiment.ts';
import type { TriedChoice } from '../results/results.ts';
import {
  bestOf,
  predictsOneClass,
  type Scored,
  scoredAt,
  scoredBy,
  scoringRule,
  type Tried,
} from '../scoring-rule.ts';
import type { Settings } from '../settings.ts';

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

/** The program for training in another process, which has separate memory. */
const MAIN = fileURLToPath(new URL('../../../faces/cli/main.js', import.meta.url));
/** Maximum characters of a failure message that are kept. */
const KEPT_CHARACTERS = 4000;

export interface TrainAllOptions {
  /** Called for each event of a run. `onEnd` is called at the end of a run. */
  onEvent?(run: ExperimentRun, event: TrainEvent): void;
  onEnd?(run: ExperimentRun, failure: string | undefined): void;
  signal?: AbortSignal;
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
export function isFinished({ config }: ExperimentRun): boolean {
  const files = folderFiles(config.output as string);
  const ended = finishOf(files);
  if (ended && ended.reason !== 'stop_at_step') return true;
  const { stop_at_step } = Object(config.training) as { stop_at_step?: number | string };
  const stop = stopStep(stop_at_step, ended?.total_steps ?? totalStepsOf(files) ?? Infinity);
  return ended ? ended.step >= stop : lastStepOf(files) > stop;
}

/**
 * Trains runs one after another, each in its folder. Finished runs are skipped.
 *
 * @param output the experiment's folder, in which the configs of the runs are written
 */
export async function trainAll(
  runs: readonly ExperimentRun[],
  output: string,
  { onEvent, onEnd, signal }: TrainAllOptions,
): Promise<TrainedAll> {
  const failed: TrainedAll['failed'] = [];
  for (const run of runs) {
    if (signal?.aborted) return { failed, stopped: true };
    if (isFinished(run)) continue;
    const files = filesBeside(output, run.name);
    atomicWrite(files.config, stringify(run.config, { aliasDuplicateObjects: false }));
    rmSync(files.failure, { force: true });
    const { code, message } = await runChild(files.config, (event) => onEvent?.(run, event), signal);
    if (signal?.aborted) return { failed, stopped: true };
    if (code !== 0) {
      failed.push({ name: run.name, message });
      atomicWrite(files.failure, message);
    }
    onEnd?.(run, code === 0 ? undefined : message);
  }
  return { failed, stopped: false };
}

/**
 * Paths of a run's files outside its folder: its config and its failure message. The tables of all shards
 * need them.
 */
export function filesBeside(output: string, name: string) {
  const path = join(output, 'configs', name.replaceAll('/', '-'));
  return { config: `${path}.yaml`, failure: `${path}.failed.txt` };
}

interface ChildRun {
  /** 0 if the run finished, 130 if it was stopped. */
  code: number;
  /** The child's output on standard error. */
  message: string;
}

/** Trains with a config file in another process. Resumes if the run's folder has a checkpoint. */
function runChild(
  config: string,
  onEvent: (event: TrainEvent) => void,
  signal?: AbortSignal,
): Promise<ChildRun> {
  // The child gets its own process group. So a Ctrl-C in the terminal reaches it only once, through this
  // process.
  const child = spawn(process.execPath, [MAIN, 'train', config, '--json', '--resume'], {
    // Nothing is written to the child's standard input. It closes when this process ends, and then the child
    // ends too.
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
    // The child is not part of a distributed run, even if a launcher started this process.
    env: withParent(withoutLaunch(process.env)),
  });
  const stop = () => child.kill('SIGTERM');
  signal?.addEventListener('abort', stop);
  let [rest, message] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() as string;
    for (const line of lines) {
      const event = eventIn(line);
      if (event) onEvent(event);
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    message = (message + text).slice(-KEPT_CHARACTERS);
  });
  return new Promise<ChildRun>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, killedBy) => {
      resolve({ code: code ?? 1, message: killedBy ? `killed by ${killedBy}\n${message}` : message });
    });
  }).finally(() => signal?.removeEventListener('abort', stop));
}

/** The event in a line. Undefined for a line that something else has printed, such as a library of the config's program. */
function eventIn(line: string): TrainEvent | undefined {
  try {
    return readEvent(JSON.parse(line));
  } catch {
    return undefined;
  }
}
