import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { withoutLaunch } from '../../../program/parallel/node/launch.ts';
import { withParent } from '../../../support/node/process-status.ts';
import { finishOf, lastStepOf, totalStepsOf } from '../../../training/run/event-log.ts';
import { readEvent, type TrainEvent } from '../../../training/run/events.ts';
import { stopStep } from '../../../training/train/trainer-settings.ts';
import type { ExperimentRun } from '../experiment.ts';

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
