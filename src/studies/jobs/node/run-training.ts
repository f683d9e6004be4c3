import { existsSync } from 'node:fs';
import { stringify } from 'yaml';
import { digestOf } from '../../../input/formats/node/content-digest.ts';
import { atomicWrite } from '../../../input/store/node/atomic-write.ts';
import { assertLocked } from '../../../input/store/node/folder-lock.ts';
import {
  ALONE_PROCESSES,
  type Communicator,
  type Processes,
} from '../../../program/parallel/communicator.ts';
import { fromFirst } from '../../../program/parallel/from-first.ts';
import { oncePerHost, together } from '../../../program/parallel/together.ts';
import { peakMemoryMb } from '../../../support/node/process-status.ts';
import type { CheckpointOrigin } from '../../../training/run/checkpoint.ts';
import { methodOf } from '../../../training/run/config/method-of.ts';
import type { ParsedConfig } from '../../../training/run/config/run-config.ts';
import type { FinishEvent, ProgressEvent, TrainEvent } from '../../../training/run/events.ts';
import { asBegun, startedWith } from '../../../training/run/node/begun-config.ts';
import { readLastCheckpoint, writeCheckpoint } from '../../../training/run/node/checkpoint-file.ts';
import { finishOf, openEventLog } from '../../../training/run/node/event-log.ts';
import { FoldFiles } from '../../../training/run/node/fold-files.ts';
import { openImportanceLog } from '../../../training/run/node/importance-log.ts';
import { assertOwnCheckpoint } from '../../../training/run/node/own-checkpoint.ts';
import {
  checkRunFolder,
  contentOf,
  lockRun,
  makeRunFolder,
  runFiles,
  takeRunFolder,
} from '../../../training/run/node/run-folder.ts';
import { fingerprintOf, lengthOf, withLength } from '../../../training/run/same-run.ts';
import type { StepControl, StepState } from '../../../training/train/step-control.ts';
import type { TrainerHost } from '../../../training/train/trainer.ts';
import { openWeights } from '../../../use/trained/node/load-model.ts';
import { sharedFiles } from '../../../use/trained/node/shared-files.ts';
import type { FoldStore } from '../contenders/folds.ts';
import { driveRun, type RunDriver } from '../drive-run.ts';
import { everySecond } from '../every-second.ts';
import { assertSameRun } from './assert-same-run.ts';
import { loadRun } from './load-run.ts';
import { type InMemory, readRun } from './read-run.ts';
import { scoreOnFloat32 } from './score-on-float32.ts';
import { writeTrained } from './write-trained.ts';

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

/**
 * Runs a whole training in this thread: loads everything, trains, and writes the run's folder. Nothing is
 * written before everything is loaded. If the run is already finished, resuming it returns its result.
 */
export async function runTraining(config: ParsedConfig, options: RunOptions): Promise<FinishEvent> {
  const { communicator } = options.processes ?? ALONE_PROCESSES;
  let release: (() => void) | undefined;
  let lockNewFolder = () => {};
  await together(communicator, () => {
    if (communicator.rank > 0) return;
    checkRunFolder(config.output, options.resume);
    const seen = contentOf(config.output);
    const lock = { onWait: (message: string) => options.onEvent({ type: 'notice', step: 0, message }) };
    // An existing folder is locked while its files are read, because they must not change. A new folder is
    // created last.
    if (seen.length > 0) release = lockRun(config.output, lock);
    lockNewFolder = () => {
      release ??= takeRunFolder(config.output, seen, lock);
    };
  });
  try {
    return await trainIn(asAlone(config, communicator), options, () => lockNewFolder());
  } finally {
    release?.();
  }
}

/** @param lockNewFolder creates the run's folder and locks it, unless this has been done */
async function trainIn(
  parsed: ParsedConfig,
  options: RunOptions,
  lockNewFolder: () => void,
): Promise<FinishEvent> {
  const { processes: joined = ALONE_PROCESSES } = options;
  const { communicator } = joined;
  const isFirst = communicator.rank === 0;
  const tell = isFirst ? options.onEvent : () => {};
  const progress = (what: ProgressEvent['what'], share: number) =>
    tell({ type: 'progress', step: 0, what, share });
  const download = everySecond((share) => progress('download', share));
  const ownMetrics = options.ownScores?.names;
  const begun = options.resume
    ? await fromFirst(communicator, () => asBegun(parsed, runFiles(parsed.output), ownMetrics))
    : parsed;
  const run = await oncePerHost(communicator, () =>
    readRun(begun, ({ received, total }) => download(received / total), options),
  );
  const { config, labels } = run;
  const processes = { ...joined, threads: config.threads ?? joined.threads };
  // These files are copied after training, but their problems should be reported before it.
  if (methodOf(config).definition.trains === 'model') sharedFiles(run.folder);
  const files = runFiles(config.output);
  const digests = await together(communicator, () => run.files().map(digestOf));
  const fingerprint = fingerprintOf(config, labels, digests);
  assertSameRun(communicator, run, digests, fingerprint);
  // A run that began in a page has only its checkpoint.
  const hasConfig = existsSync(files.config);
  const notice = (step: number, message: string) => tell({ type: 'notice', step, message });
  const { saved, planned, isLonger, ownFingerprint, finished } = await fromFirst(communicator, () => {
    const saved = options.resume
      ? readLastCheckpoint(files.checkpoints, (message) => notice(0, message))
      : undefined;
    // If the run has been extended, everything else in the config must be unchanged.
    const isChanged = saved && saved.fingerprint !== fingerprint && hasConfig;
    const last = lengthOf(isChanged ? startedWith(files.config, ownMetrics) : config);
    const planned = saved && withLength(config, saved.planned ?? last);
    const ownFingerprint = planned ? fingerprintOf(planned, labels, digests) : fingerprint;
    if (saved)
      assertOwnCheckpoint(saved.fingerprint, { config, labels, digests }, files, {
        planned,
        ownMetrics,
      });
    if (options.resume && !saved) notice(0, `No checkpoint in ${config.output}. Starting from step 0.`);
    return {
      saved,
      planned,
      // Whether the run is longer than when it was last trained.
      isLonger: withLength(config, last) !== undefined,
      ownFingerprint,
      finished: saved && existsSync(files.card) ? finishOf(files.metrics) : undefined,
    };
  });
  const asBefore = (finish: FinishEvent) => {
    notice(finish.step, `${config.output} is already finished.`);
    tell(finish);
    return finish;
  };
  if (finished && !isLonger && finished.reason !== 'stop_at_step') return asBefore(finished);

  const startedAt = saved?.startedAt ?? (await fromFirst(communicator, () => new Date()));
  const opened = await loadRun(run, startedAt, progress, processes, planned);
  let log: (event: TrainEvent) => void = () => {};
  const emit = (event: TrainEvent) => {
    if (!isFirst) return;
    log(event);
    options.onEvent(event);
  };
  // The written config contains all defaults.
  const writeConfig = () => atomicWrite(files.config, stringify(config, { aliasDuplicateObjects: false }));
  const { save_total_limit: limit, log_importance } = config.training;
  let logImportance: ReturnType<typeof openImportanceLog> | undefined;
  const { onStepEnd } = options;
  const host: TrainerHost = {
    emit,
    shouldStop: options.shouldStop,
    ...(onStepEnd && { onStepEnd: (state) => fromFirst(communicator, () => onStepEnd(state)) }),
    onImportance: (...allocated) => logImportance?.(...allocated),
    ...(isFirst && {
      save: (state) => {
        assertLocked(config.output);
        const origin = {
          fingerprint: ownFingerprint,
          startedAt,
          ...(planned && { planned: lengthOf(planned) }),
        };
        const path = writeCheckpoint(files.checkpoints, state, origin, limit);
        // Resuming reads the config in the folder, and needs the original length. So an extended config replaces
        // it only after a checkpoint has stored that length.
        if (isLonger) writeConfig();
        return path;
      },
    }),
    peakMemoryMb,
  };
  const folds =
    run.folds &&
    (await sharedFolds(communicator, files.folds, { fingerprint: ownFingerprint, startedAt }, limit));
  const driver: RunDriver = {
    ...{ host, saved, planned, finished, startupMs: () => 1000 * process.uptime() },
    ...(folds && { folds }),
    begin: (announce, measured) =>
      together(communicator, () => {
        if (!isFirst) return;
        lockNewFolder();
        makeRunFolder(config.output);
        if (!saved || !hasConfig || (finished && !isLonger)) writeConfig();
        log = openEventLog(files.metrics, saved && { step: saved.state.step, path: saved.path });
        if (log_importance === 'all') logImportance = openImportanceLog(config.output, saved?.state.step);
        if (measured) atomicWrite(files.rankPattern, `${JSON.stringify(measured.pattern, null, 2)}\n`);
        announce();
        const message = describeProcesses(processes);
        if (message) emit({ type: 'notice', step: saved?.state.step ?? 0, message });
      }),
    async keep(finish, result) {
      const { method, values } = result;
      const { validation } = opened.inputs;
      const known = new Map(run.files().map((file, i) => [file, digests[i]]));
      if (isFirst) writeTrained(run, result, finish, (file) => known.get(file) as string);
      // A linear layer is fitted again to the vectors over another base, so its scores say nothing about this one.
      if (config.base_dtype === 'float32' || !validation || run.onlyBase || result.layer) return;
      const plain = openWeights(run.folder, run.model());
      const trained = { tuner: method.tuner, values };
      const message = await scoreOnFloat32(plain, trained, validation, {
        config,
        rounded: finish.metrics,
        processes,
      });
      emit({ type: 'notice', step: finish.step, message });
    },
  };
  try {
    const { finish } = await driveRun(run, opened, driver);
    return finish === finished ? asBefore(finished) : finish;
  } finally {
    opened.model.close();
  }
}

/**
 * Describes the run's processes and threads, so that users notice if processes are bound to few cores.
 * Undefined for a single process.
 */
function describeProcesses({ communicator: { size, hosts }, threads }: Processes): string | undefined {
  if (size === 1) return undefined;
  return `${size} processes on ${[...new Set(hosts)].join(', ')}; process 0 uses ${threads} threads`;
}

/** The files of a cross-validation. All processes read what the first one finds, and only the first one writes. */
async function sharedFolds(
  communicator: Communicator,
  folder: string,
  origin: CheckpointOrigin,
  limit: number,
): Promise<FoldStore> {
  const isFirst = communicator.rank === 0;
  const files = isFirst ? new FoldFiles(folder, origin, limit) : undefined;
  const found = await fromFirst(communicator, () => ({
    features: files!.features,
    finished: files!.finished,
  }));
  return {
    ...found,
    keepFeatures: (features) => files?.keepFeatures(features),
    keep: (finished) => files?.keep(finished),
    async training(fold) {
      const saved = await fromFirst(communicator, () => files!.training(fold).saved);
      return { saved, save: files?.training(fold).save };
    },
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
