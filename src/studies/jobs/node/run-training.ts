import { stringify } from 'yaml';
import type { FolderFiles } from '../../../input/formats/files.ts';
import { digestOf } from '../../../input/formats/node/content-digest.ts';
import { folderFiles } from '../../../input/formats/node/folder-files.ts';
import { assertLocked } from '../../../input/store/node/folder-lock.ts';
import type { MeasuredAllocation } from '../../../methods/tuners/method-run.ts';
import { nodeEngine } from '../../../program/node/node-engine.ts';
import {
  ALONE_PROCESSES,
  type Communicator,
  type Processes,
} from '../../../program/parallel/communicator.ts';
import { fromFirst } from '../../../program/parallel/from-first.ts';
import { together } from '../../../program/parallel/together.ts';
import { peakMemoryMb } from '../../../support/node/process-status.ts';
import {
  type CheckpointOrigin,
  lengthOf,
  type SavedState,
  type TrainerState,
} from '../../../training/run/checkpoint.ts';
import { readLastCheckpoint, writeCheckpoint } from '../../../training/run/checkpoint-files.ts';
import { methodOf } from '../../../training/run/config/method-of.ts';
import type { ParsedConfig, RunConfig } from '../../../training/run/config/run-config.ts';
import { finishOf, openEventLog, openImportanceLog } from '../../../training/run/event-log.ts';
import type { FinishEvent, TrainEvent } from '../../../training/run/events.ts';
import { FoldFiles } from '../../../training/run/fold-files.ts';
import {
  checkRunFolder,
  contentOf,
  lockRun,
  makeRunFolder,
  takeRunFolder,
} from '../../../training/run/node/run-folder.ts';
import { asBegun, otherRun, RUN_FILES, startedWith } from '../../../training/run/run-files.ts';
import type { StepControl, StepState } from '../../../training/train/step-control.ts';
import { openWeights } from '../../../use/trained/node/load-model.ts';
import { sharedFiles } from '../../../use/trained/node/write-form.ts';
import type { RunResult } from '../contenders/conclude.ts';
import type { FoldStore } from '../contenders/folds.ts';
import { everySecond } from '../every-second.ts';
import type { SetUpRun } from '../set-up-run.ts';
import { type Platform, progressOf, type RunContinuation, type RunStore, trainRun } from '../train-run.ts';
import { assertSameRun } from './assert-same-run.ts';
import { openBase } from './load-run.ts';
import { type InMemory, type RunOfFiles, readRun } from './read-run.ts';
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

/** Runs a whole training in this thread, and writes the run's folder. See {@link trainRun}. */
export async function runTraining(given: ParsedConfig, options: RunOptions): Promise<FinishEvent> {
  const { processes: joined = ALONE_PROCESSES } = options;
  const processes = { ...joined, threads: given.threads ?? joined.threads };
  const { communicator } = processes;
  const folder = new LockedFolder(given.output, options);
  await together(communicator, () => {
    if (communicator.rank === 0) folder.lockExisting();
  });
  try {
    const asked = asAlone(given, communicator);
    const config = options.resume
      ? await fromFirst(communicator, () =>
          asBegun(asked, folderFiles(given.output), options.ownScores?.names),
        )
      : asked;
    return (await trainRun(nodePlatform(config, folder, { ...options, processes }))).finish;
  } finally {
    folder.release();
  }
}

/** The folder of a run, which only one process writes. */
class LockedFolder {
  readonly #folder: string;
  readonly #options: RunOptions;
  #seen: readonly string[] = [];
  #release: (() => void) | undefined;

  constructor(folder: string, options: RunOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** Locks an existing folder while its files are read, because they must not change. */
  lockExisting(): void {
    checkRunFolder(this.#folder, this.#options.resume);
    this.#seen = contentOf(this.#folder);
    if (this.#seen.length > 0) this.#release = lockRun(this.#folder, this.#lock);
  }

  /** Creates the folder and locks it, unless it existed. */
  take(): void {
    this.#release ??= takeRunFolder(this.#folder, this.#seen, this.#lock);
    makeRunFolder(this.#folder);
  }

  release(): void {
    this.#release?.();
  }

  get #lock() {
    const onWait = (message: string) => this.#options.onEvent({ type: 'notice', step: 0, message });
    return { onWait };
  }
}

function nodePlatform(
  asked: ParsedConfig,
  folder: LockedFolder,
  options: RunOptions & { processes: Processes },
): Platform<RunOfFiles> {
  const { processes, onEvent, onStepEnd, shouldStop } = options;
  const { communicator } = processes;
  const tell = communicator.rank === 0 ? onEvent : () => {};
  const progress = (what: 'download' | 'base') => everySecond((share) => tell(progressOf(what, share)));
  const store = new FolderStore(asked.output, folder, options);
  return {
    processes,
    store,
    async read() {
      const onDownload = progress('download');
      const run = await readRun(asked, ({ received, total }) => onDownload(received / total), options);
      // These files are copied after training, but their problems should be reported before it.
      if (methodOf(run.config).definition.trains === 'model') sharedFiles(run.folder);
      return run;
    },
    digests: (run) => store.digestsOf(run),
    assertSame: (...same) => assertSameRun(communicator, ...same),
    async open(run) {
      const model = await openBase(run, progress('base'));
      const { threads, sharesHost } = processes;
      return { model, engine: nodeEngine(model, run.config.device, { threads, sharesHost }) };
    },
    host: { emit: (event) => store.emit(event), shouldStop, onStepEnd, peakMemoryMb },
    describeProcesses: () => describeProcesses(processes),
    startupMs: () => 1000 * process.uptime(),
  };
}

/** Stores a run in its folder. */
class FolderStore implements RunStore<RunOfFiles> {
  readonly #output: string;
  readonly #files: FolderFiles;
  readonly #folder: LockedFolder;
  readonly #options: RunOptions & { processes: Processes };
  /** False for a new run, and for one that began in a page and has only its checkpoint. */
  readonly #hasConfig: boolean;
  #digests: ReadonlyMap<unknown, string> = new Map();
  #config!: RunConfig;
  #log: ((event: TrainEvent) => void) | undefined;
  #logImportance: ReturnType<typeof openImportanceLog> | undefined;

  constructor(output: string, folder: LockedFolder, options: RunOptions & { processes: Processes }) {
    this.#output = output;
    this.#files = folderFiles(output);
    this.#folder = folder;
    this.#options = options;
    this.#hasConfig = this.#files.has(RUN_FILES.config);
  }

  digestsOf(run: RunOfFiles): string[] {
    this.#config = run.config;
    const files = run.files();
    const digests = files.map(digestOf);
    this.#digests = new Map(files.map((file, i) => [file, digests[i]!]));
    return digests;
  }

  emit(event: TrainEvent): void {
    this.#log?.(event);
    this.#options.onEvent(event);
  }

  saved(): SavedState | undefined {
    if (!this.#options.resume) return undefined;
    const notice = (message: string) => this.emit({ type: 'notice', step: 0, message });
    const saved = readLastCheckpoint(this.#files.within(RUN_FILES.checkpoints), notice);
    if (!saved) notice(`No checkpoint in ${this.#output}. Starting from step 0.`);
    return saved;
  }

  lastLength() {
    const { ownScores } = this.#options;
    return this.#hasConfig ? lengthOf(startedWith(this.#files, ownScores?.names)) : undefined;
  }

  finished(): FinishEvent | undefined {
    return this.#files.has(RUN_FILES.card) ? finishOf(this.#files) : undefined;
  }

  otherRun(config: RunConfig) {
    return otherRun(config, this.#files, this.#options.ownScores?.names);
  }

  begin(_: RunOfFiles, { saved, finished, isLonger }: RunContinuation, measured?: MeasuredAllocation): void {
    this.#folder.take();
    if (!saved || !this.#hasConfig || (finished && !isLonger)) this.#writeConfig();
    this.#log = openEventLog(this.#files, saved && { step: saved.state.step, path: saved.path });
    if (this.#config.training.log_importance === 'all')
      this.#logImportance = openImportanceLog(this.#files, saved?.state.step);
    if (measured) this.#files.write(RUN_FILES.rankPattern, `${JSON.stringify(measured.pattern, null, 2)}\n`);
  }

  onImportance: RunStore<RunOfFiles>['onImportance'] = (...allocated) => this.#logImportance?.(...allocated);

  save(state: TrainerState, { origin, isLonger }: RunContinuation): string {
    assertLocked(this.#output);
    const limit = this.#config.training.save_total_limit;
    const path = writeCheckpoint(this.#files.within(RUN_FILES.checkpoints), state, origin, limit);
    // Resuming reads the config in the folder, and needs the original length. So an extended config replaces
    // it only after a checkpoint has stored that length.
    if (isLonger) this.#writeConfig();
    return path;
  }

  folds({ fingerprint, startedAt }: CheckpointOrigin): Promise<FoldStore> {
    const { communicator } = this.#options.processes;
    const limit = this.#config.training.save_total_limit;
    return sharedFolds(communicator, this.#files.within(RUN_FILES.folds), { fingerprint, startedAt }, limit);
  }

  async keep(run: RunOfFiles, opened: SetUpRun, finish: FinishEvent, result: RunResult): Promise<void> {
    const { processes } = this.#options;
    const isFirst = processes.communicator.rank === 0;
    if (isFirst) writeTrained(run, result, finish, (file) => this.#digests.get(file)!);
    const { config } = run;
    const { validation } = opened.inputs;
    // A linear layer is fitted again to the vectors over another base, so its scores say nothing about this one.
    if (config.base_dtype === 'float32' || !validation || run.onlyBase || result.layer) return;
    const plain = openWeights(run.folder, run.model());
    const trained = { tuner: result.method.tuner, values: result.values };
    const told = { config, rounded: finish.metrics, processes };
    const message = await scoreOnFloat32(plain, trained, validation, told);
    if (isFirst) this.emit({ type: 'notice', step: finish.step, message });
  }

  /** The written config contains all defaults. */
  #writeConfig(): void {
    this.#files.write(RUN_FILES.config, stringify(this.#config, { aliasDuplicateObjects: false }));
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
  folder: FolderFiles,
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
