import { ALONE_PROCESSES, type Communicator, type Processes } from '../../program/parallel/communicator.ts';
import { fromFirst } from '../../program/parallel/from-first.ts';
import { together } from '../../program/parallel/together.ts';
import type { ParsedConfig } from '../../training/run/config/run-config.ts';
import type { FinishEvent, TrainEvent } from '../../training/run/events.ts';
import { asBegun } from '../../training/run/run-files.ts';
import type { StepControl, StepState } from '../../training/train/step-control.ts';
import { folderStore } from './folder-store.ts';
import { type FolderMachine, withThreads } from './machine.ts';
import type { InMemory } from './read-run.ts';
import { trainRun } from './train-run.ts';

export interface RunOptions extends InMemory {
  /** Whether to continue from the newest checkpoint, if there is one. */
  resume: boolean;
  /** The processes that share the run. Each process calls `runInFolder`. */
  processes?: Processes;
  /** Called only in process 0. */
  onEvent(event: TrainEvent): void;
  shouldStop(): boolean;
  /** Called only in process 0. All processes follow the result. */
  onStepEnd?: ((state: StepState) => Promise<StepControl>) | undefined;
}

/** Runs a whole training in this thread, and writes the run's folder. See {@link trainRun}. */
export async function runInFolder(
  machine: FolderMachine,
  given: ParsedConfig,
  { resume, onEvent, shouldStop, onStepEnd, processes: joined = ALONE_PROCESSES, ...memory }: RunOptions,
): Promise<FinishEvent> {
  const processes = withThreads(given, joined);
  const { communicator } = processes;
  const { output } = given;
  const ownMetrics = memory.ownScores?.names;
  const onWait = (message: string) => onEvent({ type: 'notice', step: 0, message });
  const lock = await together(communicator, () =>
    communicator.rank === 0 ? machine.lockRun(output, resume, onWait) : undefined,
  );
  try {
    const asked = asAlone(given, communicator);
    const config = resume
      ? await fromFirst(communicator, () => asBegun(asked, machine.folder(output), ownMetrics))
      : asked;
    const take = () => lock?.take();
    const store = folderStore({ machine, output, resume, ownMetrics, processes, onEvent, take });
    const host = { emit: store.emit, shouldStop, onStepEnd };
    return (await trainRun(machine, config, { memory, processes, store, host })).finish;
  } finally {
    lock?.release();
  }
}

/**
 * Converts the config of a run in several processes to the same run in one process. A batch then contains the
 * rows of all processes. A missing batch size is chosen for all processes together.
 */
function asAlone<Config extends ParsedConfig>(config: Config, { size }: Pick<Communicator, 'size'>): Config {
  const { training } = config;
  const batchSize = training.per_device_train_batch_size;
  if (batchSize === undefined) return config;
  return { ...config, training: { ...training, per_device_train_batch_size: batchSize * size } };
}
