import { z } from 'zod';
import { type FolderFiles, readJsonNow } from '../../../input/formats/files.ts';
import type { ParsedConfig } from '../../../training/run/config/run-config.ts';
import type { ReportTo } from '../../../training/run/config/training-section.ts';
import type { TrainEvent } from '../../../training/run/events.ts';
import { RUN_FILES, runYaml } from '../../../training/run/run-files.ts';
import { listValues } from '../run/run-record.ts';
import { eventFile, listScalars } from '../tensorboard/event-file.ts';
import { mlflow } from './mlflow.ts';
import {
  type Environment,
  type Outcome,
  type Tracker,
  TrackerQueue,
  type TrackerState,
} from './tracker-queue.ts';
import { wandb } from './wandb.ts';

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
 * @param run the run's folder, its name, and the number of this process
 * @param onFailure called once for each server that fails; the run continues
 * @throws UserError for a missing environment variable
 */
export function trackRun(
  { training }: ParsedConfig,
  { folder, name, writer }: { folder: FolderFiles; name: string; writer: number },
  environment: Environment,
  onFailure: (message: string) => void,
): TrackedEvents {
  const names = new Set([training.report_to ?? []].flat());
  const shows: ((event: TrainEvent) => void)[] = [];
  if (names.delete('tensorboard')) shows.push(eventFile(folder.within('tensorboard'), writer));
  const trackers = [...names].map((name) => ({
    name,
    tracker: TRACKERS[name as keyof typeof TRACKERS](environment),
  }));
  const states = new Map<string, TrackerState>();
  let queues: TrackerQueue[] = [];
  const begin = () => {
    for (const [name, state] of Object.entries(readStates(folder))) states.set(name, state);
    const run = {
      name,
      settings: Object.fromEntries(listValues(Object(runYaml(folder, "the run's config")))),
    };
    queues = trackers.map(({ name, tracker }) => {
      const host = {
        onFailure: (message: string) =>
          onFailure(`${name} does not get all of this run: ${message}. Training continues.`),
        onState(state: TrackerState) {
          states.set(name, state);
          folder.write(RUN_FILES.trackers, `${JSON.stringify(Object.fromEntries(states), null, 2)}\n`);
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
      const scalars = listScalars(event);
      for (const queue of queues) queue.add({ step: event.step, time: Date.now(), scalars });
    },
    async close(outcome) {
      await Promise.all(queues.map((queue) => queue.close(outcome)));
    },
  };
}

/** Reads the states of trackers. A damaged file is ignored; the servers then get a new run. */
function readStates(run: FolderFiles): Record<string, TrackerState> {
  if (!run.has(RUN_FILES.trackers)) return {};
  try {
    return statesSchema.parse(readJsonNow(run, RUN_FILES.trackers, 'the states of trackers'));
  } catch {
    return {};
  }
}
