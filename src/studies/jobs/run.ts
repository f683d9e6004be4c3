import type { MeasuredAllocation, MethodRun } from '../../methods/tuners/method-run.ts';
import type { ScoredRows } from '../../program/example-set.ts';
import type { LinearLayer } from '../../program/objectives/sentence-classifier.ts';
import type { Processes } from '../../program/parallel/communicator.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import type { Baseline } from '../../scores/baselines/baseline.ts';
import type { UserError } from '../../support/user-error.ts';
import type { CheckpointOrigin, RunLength, SavedState, TrainerState } from '../../training/run/checkpoint.ts';
import type { ParsedConfig, RunConfig } from '../../training/run/config/run-config.ts';
import type { FinishEvent, ProgressEvent, TrainEvent } from '../../training/run/events.ts';
import type { Trainer, TrainerHost, TrainerInputs } from '../../training/train/trainer.ts';
import type { TrainerSettings } from '../../training/train/trainer-settings.ts';
import type { ReadRun } from './begin-run.ts';
import type { Choice, Contender, ContenderKind } from './contenders/choose.ts';
import type { FittedRows } from './contenders/fit-rows.ts';
import type { PreparedRows, RunExamples } from './encode-run.ts';
import type { OpenedBase, RunMachine } from './machine.ts';
import type { InMemory } from './read-run.ts';

/** The start of a training. */
export interface Training {
  inputs: TrainerInputs;
  settings: TrainerSettings;
}

/** The values of a method. */
export interface Tuned {
  method: MethodRun;
  values: Float32Array;
}

/** The result of a run. */
export interface RunResult extends Tuned {
  kind: ContenderKind;
  model: LoadedModel;
  /** The layer on the model's vectors, for a model of sentence vectors. */
  layer?: LinearLayer | undefined;
  /** The `data` section with which the result reads rows. */
  data: RunConfig['data'];
}

/** The linear probe of a run: a layer on the features of the model before training. */
export interface FrozenProbe {
  /** The rows that the probe is fitted to. */
  rows: Int32Array;
  /** The features of each of these rows. */
  features: readonly Float32Array[];
  fitted: FittedRows;
  /** For each strength, the outputs of each row of the run, from a layer that is fitted to other folds. */
  outOfFold: readonly (readonly Float32Array[])[];
  /** The strength whose outputs have the lowest loss. */
  strength: number;
  /** Seconds in which the features of all training rows are computed. Undefined if they were known. */
  secondsPerEpoch?: number | undefined;
}

/** The choice of a run's result, and its predictions of the rows that judged it. */
export interface Conclusion {
  result: RunResult;
  rows: ScoredRows;
  /** The outputs of each row, calibrated. Empty arrays for rows that are not judged. */
  outputs: readonly Float32Array[];
  judged: Int32Array;
  choice: Choice;
  contenders: readonly Contender[];
  /** Whether the outputs are others than those of the last evaluation. */
  isRescored: boolean;
  /** Whether the loss of the result is lower than a constant's by more than a standard error. Undefined without a constant. */
  beatsConstant?: boolean;
}

/** For each version of a fine-tuned model, its outputs for the rows that a fold holds out, one after the other. */
export type FoldOutputs = readonly Float32Array[];

/** Keeps the trainings of a cross-validation, so that a run resumes in the middle of one. */
export interface FoldStore {
  /** The features of the frozen model, one row after the other, if they are known. */
  features?: Float32Array | undefined;
  keepFeatures(features: Float32Array): void | Promise<void>;
  /** The outputs of the folds that are finished, in order. */
  finished: readonly FoldOutputs[];
  /** Called with the outputs of all finished folds, when one more is finished. */
  keep(finished: readonly FoldOutputs[]): void | Promise<void>;
  /** The last checkpoint of a fold's training, and where it saves. */
  training(fold: number): FoldTraining | Promise<FoldTraining>;
}

interface FoldTraining {
  saved?: TrainerState | undefined;
  save?: TrainerHost['save'] | undefined;
  isSaveDue?: TrainerHost['isSaveDue'];
}

/** Keeps nothing. */
const NO_FOLDS: FoldStore = { finished: [], keepFeatures() {}, keep() {}, training: () => ({}) };

/** Keeps vectors of rows by the name of their set. */
export interface RowStore {
  read(name: string): Float32Array[] | undefined | Promise<Float32Array[] | undefined>;
  write(name: string, vectors: readonly Float32Array[]): void | Promise<void>;
}

/** The storage of a run: a folder in Node, or files that the page's program passes and receives. */
export interface RunStore {
  /** Whether a run may be resumed. Otherwise, its files need no digests. */
  hasCheckpoints: boolean;
  /** Throws a UserError for a run whose result cannot be stored. */
  admit?(files: ReadRun): Promise<void>;
  /** The newest checkpoint, if the run is resumed. */
  saved(config: RunConfig): SavedState | undefined | Promise<SavedState | undefined>;
  /** The length with which the run was last trained, if it is known besides the checkpoint. */
  lastLength?(): RunLength | undefined;
  /** How the run ended. Undefined if it did not. */
  finished?(): FinishEvent | undefined;
  /** The error for a checkpoint of another run. */
  otherRun(config: RunConfig): UserError;
  /** Called before the first event. */
  begin?(run: Run): void;
  /** Stores a checkpoint. Without it, nothing is stored. Returns its path. */
  save?(run: Run, state: TrainerState): string | Promise<string>;
  /** Whether it is time for a checkpoint. */
  isSaveDue?: TrainerHost['isSaveDue'];
  onImportance?: TrainerHost['onImportance'];
  /** Keeps what the task has computed for each row before the first step. */
  rows?(run: Run): RowStore;
  /** Keeps the folds of a cross-validation. Called in every process. */
  folds?(run: Run): Promise<FoldStore>;
  /** Called with a linear probe before the first step, if the run has one and does not resume. */
  probed?(run: Run, result: RunResult): void | Promise<void>;
  /** Called in every process with the result before the last event, unless the run was stopped. */
  keep(run: Run, finish: FinishEvent, result: RunResult): void | Promise<void>;
}

/** The surroundings of a run. */
export interface RunSurroundings {
  memory?: InMemory;
  processes: Processes;
  store: RunStore;
  /** Receives events and decides about steps. Only that of process 0 is called. */
  host: Pick<TrainerHost, 'shouldStop' | 'onStepEnd'> & { emit(event: TrainEvent): void };
}

/** A run: what it is given, and what its stages have found so far. Stages set the fields below `files` in their order. */
export class Run {
  readonly machine: RunMachine;
  readonly asked: ParsedConfig;
  readonly memory: InMemory;
  readonly processes: Processes;
  readonly store: RunStore;
  readonly host: RunSurroundings['host'];
  readonly startedAt = performance.now();
  /** Everything but the weights. */
  files!: ReadRun;
  /** The checkpoint that it continues. Undefined for a run that starts. */
  saved: SavedState | undefined;
  /** The original config, if the run has been extended. */
  planned: RunConfig | undefined;
  /** Whether the run is longer than when it was last trained. */
  isLonger = false;
  /** How the run ended before. */
  finished: FinishEvent | undefined;
  /** The origin in the checkpoints of this run. */
  origin!: CheckpointOrigin;
  base!: OpenedBase;
  /** Whether clips have the states of the encoder of `base`, so that no other base can score them. */
  holdsStates = false;
  /** Vectors that the task has computed for each row of the training set and of each validation set. */
  prepared: PreparedRows | undefined;
  examples!: RunExamples;
  folds = NO_FOLDS;
  /** Its training: first of the model before the first step. */
  training!: Training;
  probe: FrozenProbe | undefined;
  measured: MeasuredAllocation | undefined;
  trainer!: Trainer;
  baselines: readonly Baseline[] = [];
  /** The fine-tuned model's outputs in a cross-validation, for each version. Undefined if the run was stopped before. */
  outOfFold: readonly (readonly Float32Array[])[] | undefined;
  /** How the training ended, before the run is judged. */
  trained!: FinishEvent;
  conclusion: Conclusion | undefined;
  finish!: FinishEvent;
  /** Undefined for a run that was stopped, or had finished before. */
  result: RunResult | undefined;

  constructor(
    machine: RunMachine,
    asked: ParsedConfig,
    { memory = {}, processes, store, host }: RunSurroundings,
  ) {
    this.machine = machine;
    this.asked = asked;
    this.memory = memory;
    this.processes = processes;
    this.store = store;
    this.host = host;
  }

  get communicator(): Processes['communicator'] {
    return this.processes.communicator;
  }

  get isFirst(): boolean {
    return this.communicator.rank === 0;
  }

  emit(event: TrainEvent): void {
    if (this.isFirst) this.host.emit(event);
  }

  notice(message: string, step: number): void {
    this.emit({ type: 'notice', step, message });
  }

  /** Returns a function that reports a share of some work. */
  progress(what: ProgressEvent['what']): (share: number) => void {
    return everySecond((share) =>
      this.emit({ type: 'progress', step: this.trainer?.step ?? 0, what, share }),
    );
  }

  /** Ends a run that had finished before. */
  endAsBefore(finish: FinishEvent): 'over' {
    this.notice(`${this.files.config.output} is already finished.`, finish.step);
    this.emit(finish);
    this.finish = finish;
    return 'over';
  }

  /** Frees the engine's memory and the weights. */
  async close(): Promise<void> {
    await this.trainer?.release().catch(() => {});
    this.base?.model.close();
  }
}

/** Passes on at most one report per second. Work that takes less than a second is not reported. */
export function everySecond(report: (share: number) => void): (share: number) => void {
  let last = performance.now();
  return (share) => {
    if (performance.now() - last < 1000) return;
    last = performance.now();
    report(share);
  };
}
