import { stringify } from 'yaml';
import type { FolderFiles } from '../../input/formats/files.ts';
import type { Tuner } from '../../methods/tuners/tuner.ts';
import { ALONE_PROCESSES, type Communicator, type Processes } from '../../program/parallel/communicator.ts';
import { fromFirst, together } from '../../program/parallel/together.ts';
import { Program } from '../../program/program.ts';
import type { Validation } from '../../program/validation.ts';
import { releasing } from '../../support/opened.ts';
import type { UserError } from '../../support/user-error.ts';
import {
  type RunLength,
  readLength,
  type SavedState,
  type TrainerState,
} from '../../training/run/checkpoint.ts';
import { readLastCheckpoint, writeCheckpoint } from '../../training/run/checkpoint-files.ts';
import { readMethod } from '../../training/run/config/read-method.ts';
import type { ParsedConfig, RunConfig } from '../../training/run/config/run-config.ts';
import { openEventLog, openImportanceLog, readFinish } from '../../training/run/event-log.ts';
import type { FinishEvent, TrainEvent } from '../../training/run/events.ts';
import {
  encodeRowVectors,
  keptTensors,
  openFolds,
  preparedFile,
  readRowVectors,
} from '../../training/run/fold-files.ts';
import { asBegun, otherRun, RUN_FILES, startedWith } from '../../training/run/run-files.ts';
import type { StepControl, StepState } from '../../training/train/step-control.ts';
import type { ReadRun } from './begin-run.ts';
import { type FolderMachine, type OpenedBase, withThreads } from './machine.ts';
import type { InMemory } from './read-run.ts';
import type { FoldStore, RowStore, Run, RunResult, RunStore } from './run.ts';
import { trainRun } from './train-run.ts';
import { trainedFiles } from './trained-files.ts';

/**
 * Writes the adapter or model of a finished run, and its model card. The card is last, because it shows that a run is
 * complete.
 */
export async function writeTrained(
  folder: FolderFiles,
  run: ReadRun,
  result: RunResult,
  finish: FinishEvent,
  machine: Pick<FolderMachine, 'shareFiles'>,
): Promise<void> {
  const { trained, files, card } = await trainedFiles(run, result, finish);
  const to = folder.within(RUN_FILES[trained]);
  if (trained === 'model') await machine.shareFiles(run, to);
  for (const [name, content] of files) to.write(name, content);
  folder.write(RUN_FILES.card, card);
}

interface RunOptions extends InMemory {
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
    const store = new FolderStore({ machine, output, resume, ownMetrics, onEvent, take });
    const host = { emit: (event: TrainEvent) => store.emit(event), shouldStop, onStepEnd };
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

/** The folder of a run, and the run that is stored there. */
interface FolderStoreOptions {
  machine: FolderMachine;
  /** The path of the folder. */
  output: string;
  /** Whether to continue from the newest checkpoint, if there is one. */
  resume: boolean;
  /** Names of custom scores. */
  ownMetrics?: readonly string[] | undefined;
  /** Called only in process 0. */
  onEvent(event: TrainEvent): void;
  /** Makes this process the only writer of the folder, and creates the folder if it is missing. */
  take(): void;
}

/** Stores a run in its folder. */
class FolderStore implements RunStore {
  readonly hasCheckpoints = true;
  readonly #options: FolderStoreOptions;
  readonly #folder: FolderFiles;
  readonly #checkpoints: FolderFiles;
  /** Missing for a new run, and for one that began in a page and has only its checkpoint. */
  readonly #hasConfig: boolean;
  #log: ((event: TrainEvent) => void) | undefined;
  #logImportance: ReturnType<typeof openImportanceLog> | undefined;

  constructor(options: FolderStoreOptions) {
    this.#options = options;
    this.#folder = options.machine.folder(options.output);
    this.#checkpoints = this.#folder.within(RUN_FILES.checkpoints);
    this.#hasConfig = this.#folder.has(RUN_FILES.config);
  }

  /** Writes an event to the log, and passes it on. */
  emit(event: TrainEvent): void {
    this.#log?.(event);
    this.#options.onEvent(event);
  }

  async admit(files: ReadRun): Promise<void> {
    // These files are copied after training, but their problems should be reported before it.
    if (readMethod(files.config).definition.trains === 'model') await this.#options.machine.shareFiles(files);
  }

  saved(): SavedState | undefined {
    const { resume, output } = this.#options;
    if (!resume) return undefined;
    const notice = (message: string) => this.emit({ type: 'notice', step: 0, message });
    const saved = readLastCheckpoint(this.#checkpoints, notice);
    if (!saved) notice(`No checkpoint in ${output}. Starting from step 0.`);
    return saved;
  }

  lastLength(): RunLength | undefined {
    if (!this.#hasConfig) return undefined;
    return readLength(startedWith(this.#folder, this.#options.ownMetrics));
  }

  finished(): FinishEvent | undefined {
    return this.#folder.has(RUN_FILES.card) ? readFinish(this.#folder) : undefined;
  }

  otherRun(config: RunConfig): UserError {
    return otherRun(config, this.#folder, this.#options.ownMetrics);
  }

  begin({ files: { config }, saved, finished, isLonger, measured }: Run): void {
    this.#options.take();
    if (!saved || !this.#hasConfig || (finished && !isLonger)) this.#writeConfig(config);
    this.#log = openEventLog(this.#folder, saved && { step: saved.state.step, path: saved.path });
    if (config.training.log_importance === 'all')
      this.#logImportance = openImportanceLog(this.#folder, saved?.state.step);
    if (measured) this.#folder.write(RUN_FILES.rankPattern, `${JSON.stringify(measured.pattern, null, 2)}\n`);
  }

  onImportance(...allocated: Parameters<NonNullable<RunStore['onImportance']>>): void {
    this.#logImportance?.(...allocated);
  }

  save({ files: { config }, origin, isLonger }: Run, state: TrainerState): string {
    const { machine, output } = this.#options;
    machine.assertLocked(output);
    const path = writeCheckpoint(this.#checkpoints, state, origin, config.training.save_total_limit);
    // Resuming reads the config in the folder, and needs the original length. So an extended config replaces
    // it only after a checkpoint has stored that length.
    if (isLonger) this.#writeConfig(config);
    return path;
  }

  rows({ origin: { fingerprint } }: Run): RowStore {
    const folder = this.#checkpoints;
    return {
      read: (name) => readRowVectors(keptTensors(folder, preparedFile(name), fingerprint)),
      write: (name, vectors) => {
        // It may have taken long, so it is kept before the first event.
        this.#options.take();
        folder.write(preparedFile(name), encodeRowVectors(fingerprint, vectors));
      },
    };
  }

  folds({ files, origin: { fingerprint, startedAt }, communicator }: Run): Promise<FoldStore> {
    const { save_total_limit } = files.config.training;
    const folder = this.#folder.within(RUN_FILES.folds);
    return openFolds(folder, { fingerprint, startedAt }, save_total_limit, communicator);
  }

  async keep(run: Run, finish: FinishEvent, result: RunResult): Promise<void> {
    const { files, examples, processes, isFirst } = run;
    const { machine } = this.#options;
    if (isFirst) await writeTrained(this.#folder, files, result, finish, machine);
    const { config, onlyBase } = files;
    const { validation } = examples;
    // A linear layer is fitted again to the vectors over another base, so its scores say nothing about this one.
    // Held states are those of the quantized encoder.
    if (config.base_dtype === 'float32' || !validation || onlyBase || result.layer || run.holdsStates) return;
    const base = await machine.openFloat32(files, processes);
    const trained = { tuner: result.method.tuner, values: result.values };
    const { communicator } = run;
    const told = { config, rounded: finish.metrics, communicator };
    run.notice(await scoreOnFloat32(base, trained, validation, told), finish.step);
  }

  /** The written config contains all defaults. */
  #writeConfig(config: RunConfig): void {
    this.#folder.write(RUN_FILES.config, stringify(config, { aliasDuplicateObjects: false }));
  }
}

/** Scores an adapter over the original base, and compares the scores with those over its quantized base. */
async function scoreOnFloat32(
  { model, engine }: OpenedBase,
  { tuner, values }: { tuner: Tuner; values: Float32Array },
  validation: Validation,
  {
    config: { base_dtype, training },
    rounded,
    communicator,
  }: { config: RunConfig; rounded: Readonly<Record<string, number>>; communicator: Communicator },
): Promise<string> {
  const program = new Program(engine, model, tuner, { communicator });
  const used = { release: () => program.release().finally(() => model.close()) };
  return releasing(used, async () => {
    const scores: Record<string, number> = await validation.run(program, values);
    const name = `eval_${training.metric_for_best_model}`;
    const [there, here] = [rounded[name], scores[name]];
    const sentence = `With the float32 base model, ${name} is ${here!.toFixed(4)}`;
    // A run without evaluations has no scores to compare.
    if (there === undefined) return sentence;
    const difference = `${here! >= there ? '+' : '-'}${Math.abs(here! - there).toFixed(4)}`;
    return `${sentence} (${difference} compared with ${base_dtype}).`;
  });
}
