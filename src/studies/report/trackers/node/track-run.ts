import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { readYaml } from '../../../../input/formats/node/read-text.ts';
import { atomicWrite } from '../../../../input/store/node/atomic-write.ts';
import type { ParsedConfig } from '../../../../training/run/config/run-config.ts';
import type { ReportTo } from '../../../../training/run/config/training-section.ts';
import type { TrainEvent } from '../../../../training/run/events.ts';
import { runFiles } from '../../../../training/run/node/run-folder.ts';
import { valuesOf } from '../../run/run-record.ts';
import { eventFile } from '../../tensorboard/node/event-file.ts';
import { scalarsOf } from '../../tensorboard/scalars-of.ts';
import { mlflow } from '../mlflow.ts';
import {
  type Environment,
  type Outcome,
  type Tracker,
  TrackerQueue,
  type TrackerState,
} from '../tracker-queue.ts';
import { wandb } from '../wandb.ts';

/** The tracking servers, by their names in `training.report_to`. */
const TRACKERS: Readonly<Record<Exclude<ReportTo, 'tensorboard'>, (environment: Environment) => Tracker>> = {
  wandb,
  mlflow,
};

const statesSchema = z.record(z.string(), z.object({ id: z.string(), step: z.number() }));

/** Sends the events of a run to other programs. */
export interface TrackedEvents {
  show(event: TrainEvent): void;
  close(outcome: Outcome): Promise<void>;
}

/**
 * Sends a run's events to the programs in `training.report_to`, from its `start` event on.
 *
 * @param onFailure called once for each server that fails; the run continues
 * @throws UserError for a missing environment variable
 */
export function trackRun(
  { output, training }: ParsedConfig,
  environment: Environment,
  onFailure: (message: string) => void,
): TrackedEvents {
  const names = new Set([training.report_to ?? []].flat());
  const shows: ((event: TrainEvent) => void)[] = [];
  if (names.delete('tensorboard')) shows.push(eventFile(join(output, 'tensorboard')));
  const trackers = [...names].map((name) => ({
    name,
    tracker: TRACKERS[name as keyof typeof TRACKERS](environment),
  }));
  const files = runFiles(output);
  const states = new Map<string, TrackerState>();
  let queues: TrackerQueue[] = [];
  const begin = () => {
    for (const [name, state] of Object.entries(readStates(files.trackers))) states.set(name, state);
    const run = {
      name: basename(resolve(output)),
      settings: Object.fromEntries(valuesOf(Object(readYaml(files.config, "the run's config")))),
    };
    queues = trackers.map(({ name, tracker }) => {
      const host = {
        onFailure: (message: string) =>
          onFailure(`${name} does not get all of this run: ${message}. Training continues.`),
        onState(state: TrackerState) {
          states.set(name, state);
          atomicWrite(files.trackers, `${JSON.stringify(Object.fromEntries(states), null, 2)}\n`);
        },
      };
      return new TrackerQueue(tracker, run, host, states.get(name));
    });
  };
  let isBroken = false;
  return {
    show(event) {
      if (isBroken) return;
      try {
        for (const show of shows) show(event);
        if (event.type === 'start' && queues.length === 0) begin();
      } catch (error) {
        // Any error, such as a full disk, ends only this report. If it concerns the training, the training reports it too.
        isBroken = true;
        onFailure(`training.report_to ends here: ${(error as Error).message}. Training continues.`);
      }
      const scalars = scalarsOf(event);
      for (const queue of queues) queue.add({ step: event.step, time: Date.now(), scalars });
    },
    async close(outcome) {
      await Promise.all(queues.map((queue) => queue.close(outcome)));
    },
  };
}

/** Reads the states of trackers. A damaged file is ignored; the servers then get a new run. */
function readStates(path: string): Record<string, TrackerState> {
  if (!existsSync(path)) return {};
  try {
    return statesSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return {};
  }
}
