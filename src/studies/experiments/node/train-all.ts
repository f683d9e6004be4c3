import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import type { TrainEvent } from '../../../training/run/events.ts';
import { finishOf, lastStepOf, totalStepsOf } from '../../../training/run/node/event-log.ts';
import { runFiles } from '../../../training/run/node/run-folder.ts';
import { stopStep } from '../../../training/train/trainer-settings.ts';
import { runChild } from './run-child.ts';

export interface NamedRun {
  name: string;
  config: Record<string, unknown>;
}

export interface TrainAllOptions<Run> {
  /** The parent folder of all runs; their configs are written there. */
  output: string;
  /** Called for each event of a run. `onEnd` is called at the end of a run. */
  onEvent?(run: Run, event: TrainEvent): void;
  onEnd?(run: Run, failure: string | undefined): void;
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
export function isFinished({ config }: NamedRun): boolean {
  const { metrics } = runFiles(config.output as string);
  const ended = finishOf(metrics);
  if (ended && ended.reason !== 'stop_at_step') return true;
  const { stop_at_step } = Object(config.training) as { stop_at_step?: number | string };
  const stop = stopStep(stop_at_step, ended?.total_steps ?? totalStepsOf(metrics) ?? Infinity);
  return ended ? ended.step >= stop : lastStepOf(metrics) > stop;
}

/** Trains runs one after another, each in its folder. Finished runs are skipped. */
export async function trainAll<Run extends NamedRun>(
  runs: readonly Run[],
  options: TrainAllOptions<Run>,
): Promise<TrainedAll> {
  const { output, onEvent, onEnd, signal } = options;
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
