import { computeDigest } from '../../../input/formats/content-digest.ts';
import { disk, folderFiles } from '../../../input/formats/node/folder-files.ts';
import { assertLocked } from '../../../input/store/node/folder-lock.ts';
import {
  ALONE_PROCESSES,
  type Communicator,
  type Processes,
} from '../../../program/parallel/communicator.ts';
import { fromFirst } from '../../../program/parallel/from-first.ts';
import { together } from '../../../program/parallel/together.ts';
import { peakMemoryMb, programVersion } from '../../../support/node/process-status.ts';
import { readMethod } from '../../../training/run/config/read-method.ts';
import type { ParsedConfig } from '../../../training/run/config/run-config.ts';
import type { FinishEvent, TrainEvent } from '../../../training/run/events.ts';
import { runFolderLock } from '../../../training/run/node/run-folder.ts';
import { asBegun } from '../../../training/run/run-files.ts';
import type { StepControl, StepState } from '../../../training/train/step-control.ts';
import { sharedFiles } from '../../../use/trained/write-form.ts';
import { assertSameRun } from '../assert-same-run.ts';
import { everySecond } from '../every-second.ts';
import { folderStore } from '../folder-store.ts';
import { describeProgress, type Platform, trainRun } from '../train-run.ts';
import { openBase, runBase, withEngine } from './load-run.ts';
import { type InMemory, type RunOfFiles, readRun } from './read-run.ts';

export interface RunOptions extends InMemory {
  /** Whether to continue from the newest checkpoint, if there is one. */
  resume: boolean;
  /** The processes that share the run. Each process calls `runTraining`. */
  processes?: Processes;
  /** Called only in process 0. */
  onEvent(event: TrainEvent): void;
  shouldStop(): boolean;
  /** Called only in process 0. All processes follow the result. */
  onStepEnd?: ((state: StepState) => Promise<StepControl>) | undefined;
}

/** Runs a whole training in this thread, and writes the run's folder. See {@link trainRun}. */
export async function runTraining(given: ParsedConfig, options: RunOptions): Promise<FinishEvent> {
  const { processes: joined = ALONE_PROCESSES } = options;
  const processes = { ...joined, threads: given.threads ?? joined.threads };
  const { communicator } = processes;
  const onWait = (message: string) => options.onEvent({ type: 'notice', step: 0, message });
  const locked = await together(communicator, () =>
    communicator.rank === 0 ? runFolderLock(given.output, options.resume, { onWait }) : undefined,
  );
  try {
    const asked = asAlone(given, communicator);
    const config = options.resume
      ? await fromFirst(communicator, () =>
          asBegun(asked, folderFiles(given.output), options.ownScores?.names),
        )
      : asked;
    return (await trainRun(nodePlatform(config, () => locked?.take(), { ...options, processes }))).finish;
  } finally {
    locked?.release();
  }
}

function nodePlatform(
  asked: ParsedConfig,
  take: () => void,
  options: RunOptions & { processes: Processes },
): Platform<RunOfFiles> {
  const { processes, resume, ownScores, onEvent, onStepEnd, shouldStop } = options;
  const { communicator, threads, sharesHost } = processes;
  const engine = { threads, sharesHost };
  const tell = communicator.rank === 0 ? onEvent : () => {};
  const progress = (what: 'download' | 'base') => everySecond((share) => tell(describeProgress(what, share)));
  let weights: readonly string[] = [];
  const store = folderStore<RunOfFiles>({
    folder: folderFiles(asked.output),
    resume,
    ownMetrics: ownScores?.names,
    communicator,
    onEvent,
    take,
    assertTaken: () => assertLocked(asked.output),
    // Weight files are hashed once, before the run.
    base: { ...runBase(engine), weightDigests: () => weights },
  });
  return {
    processes,
    store,
    async read() {
      const onDownload = progress('download');
      const run = await readRun(asked, ({ received, total }) => onDownload(received / total), options);
      // These files are copied after training, but their problems should be reported before it.
      if (readMethod(run.config).definition.trains === 'model') sharedFiles(disk, run.folder);
      return run;
    },
    digests(run) {
      const digests = run.files().map((file) => computeDigest(disk, file));
      weights = digests.slice(digests.length - run.weights().length);
      return digests;
    },
    assertSame: (...same) => assertSameRun(communicator, programVersion(), ...same),
    open: async (run) => withEngine(run, await openBase(run, progress('base')), engine),
    host: { emit: store.emit, shouldStop, onStepEnd, peakMemoryMb },
    startupMs: () => 1000 * process.uptime(),
  };
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
