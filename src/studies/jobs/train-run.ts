import type { MeasuredAllocation } from '../../methods/tuners/method-run.ts';
import type { Engine } from '../../program/engine.ts';
import type { Processes } from '../../program/parallel/communicator.ts';
import { fromFirst } from '../../program/parallel/from-first.ts';
import { oncePerHost, together } from '../../program/parallel/together.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import type { UserError } from '../../support/user-error.ts';
import {
  type CheckpointOrigin,
  computeFingerprint,
  type RunLength,
  readLength,
  type SavedState,
  type TrainerState,
  withLength,
} from '../../training/run/checkpoint.ts';
import type { RunConfig } from '../../training/run/config/run-config.ts';
import type { FinishEvent, ProgressEvent, TrainEvent } from '../../training/run/events.ts';
import type { TrainerHost } from '../../training/train/trainer.ts';
import type { RunResult } from './contenders/conclude.ts';
import type { FoldStore } from './contenders/folds.ts';
import { driveRun } from './drive-run.ts';
import { everySecond } from './every-second.ts';
import type { ReadRun } from './read-material.ts';
import { type SetUpRun, setUpRun } from './set-up-run.ts';

/** How a run continues. */
export interface RunContinuation {
  /** Undefined for a run that starts. */
  saved?: SavedState | undefined;
  /** The original config, if the run has been extended. */
  planned?: RunConfig | undefined;
  /** Whether the run is longer than when it was last trained. */
  isLonger: boolean;
  /** How the run ended before. */
  finished?: FinishEvent | undefined;
  /** The origin in the checkpoints of this run. */
  origin: CheckpointOrigin;
}

/** The storage of a run: a folder in Node, or files that the page's program passes and receives. */
export interface RunStore<Run> {
  /** The newest checkpoint, if the run is resumed. */
  saved(config: RunConfig): SavedState | undefined | Promise<SavedState | undefined>;
  /** The length with which the run was last trained, if it is known besides the checkpoint. */
  lastLength?(): RunLength | undefined;
  /** How the run ended. Undefined if it did not. */
  finished?(): FinishEvent | undefined;
  /** The error for a checkpoint of another run. */
  otherRun(config: RunConfig): UserError;
  /** Called before the first event. */
  begin?(run: Run, how: RunContinuation, measured: MeasuredAllocation | undefined): void;
  /** Stores a checkpoint. Without it, nothing is stored. Returns its path. */
  save?(run: Run, state: TrainerState, how: RunContinuation): string | Promise<string>;
  /** Whether it is time for a checkpoint. */
  isSaveDue?: TrainerHost['isSaveDue'];
  onImportance?: TrainerHost['onImportance'];
  /** Keeps the folds of a cross-validation. Called in every process. */
  folds?(run: Run, origin: CheckpointOrigin): Promise<FoldStore>;
  /** Called with a linear probe before the first step, if the run has one and does not resume. */
  probed?(run: Run, result: RunResult): void | Promise<void>;
  /** Called in every process with the result before the last event, unless the run was stopped. */
  keep(run: Run, opened: SetUpRun, finish: FinishEvent, result: RunResult): void | Promise<void>;
}

/** A model with weights, and the engine that runs it. */
export interface OpenedBase {
  model: LoadedModel;
  engine: Engine;
}

/** A machine on which runs train: Node, or a page. */
export interface Platform<Run extends ReadRun = ReadRun> {
  processes: Processes;
  /** Reads everything that the config names, except the weights. */
  read(): Promise<Run>;
  /** Digests of everything that determines the run's values: the data, the starting adapter, the model. */
  digests(run: Run): readonly string[] | Promise<readonly string[]>;
  /** Checks that all processes are about to do the same run. */
  assertSame?(run: Run, digests: readonly string[], fingerprint: string): void;
  /** Opens the weights, with an engine that runs the model. */
  open(run: Run): Promise<OpenedBase>;
  store: RunStore<Run>;
  /** Receives events and decides about steps. Only that of process 0 is called. */
  host: Pick<TrainerHost, 'shouldStop' | 'onStepEnd' | 'peakMemoryMb'> & { emit(event: TrainEvent): void };
  /** Milliseconds since the start of the process or of the call. */
  startupMs(): number;
}

/** A run's last event, and what was trained. */
export interface TrainedRun<Run> {
  run: Run;
  finish: FinishEvent;
  /** Undefined if the run had finished before. */
  values?: Float32Array;
}

/**
 * Does a whole training in this thread: reads and loads everything, trains, and stores the result. Nothing is stored
 * before everything is loaded. If the run is already finished, its result is returned.
 */
export async function trainRun<Run extends ReadRun>(platform: Platform<Run>): Promise<TrainedRun<Run>> {
  const { store, processes, host } = platform;
  const { communicator } = processes;
  const isFirst = communicator.rank === 0;
  const emit = (event: TrainEvent) => {
    if (isFirst) host.emit(event);
  };
  const notice = (step: number, message: string) => emit({ type: 'notice', step, message });
  const run = await oncePerHost(communicator, () => platform.read());
  const { config } = run;
  const digests = await together(communicator, () => platform.digests(run));
  const fingerprint = computeFingerprint(config, run.labels, digests);
  platform.assertSame?.(run, digests, fingerprint);
  const how = await fromFirst(communicator, () => continuation(run, digests, fingerprint, store));
  const { saved, planned, finished, origin } = how;
  const asBefore = (finish: FinishEvent) => {
    notice(finish.step, `${config.output} is already finished.`);
    emit(finish);
    return { run, finish };
  };
  if (finished && !how.isLonger && finished.reason !== 'stop_at_step') return asBefore(finished);

  const { model, engine } = await oncePerHost(communicator, () => platform.open(run));
  try {
    const opened = await together(communicator, () =>
      setUpRun(run, model, engine, {
        startedAt: origin.startedAt,
        onProgress: everySecond((share) => emit(describeProgress('text', share))),
        planned,
        communicator,
      }),
    );
    const { onStepEnd } = host;
    const folds = run.folds && (await store.folds?.(run, origin));
    const { finish, values } = await driveRun(run, opened, {
      saved,
      planned,
      finished,
      startupMs: platform.startupMs,
      ...(folds && { folds }),
      host: {
        emit,
        shouldStop: host.shouldStop,
        ...(onStepEnd && { onStepEnd: (state) => fromFirst(communicator, () => onStepEnd(state)) }),
        onImportance: store.onImportance,
        ...(isFirst && store.save && { save: (state) => store.save!(run, state, how) }),
        ...(store.isSaveDue && { isSaveDue: store.isSaveDue }),
        peakMemoryMb: host.peakMemoryMb,
      },
      begin: (announce, measured) =>
        together(communicator, () => {
          if (!isFirst) return;
          store.begin?.(run, how, measured);
          announce();
          const message = describeProcesses(processes);
          if (message) notice(saved?.state.step ?? 0, message);
        }),
      ...(store.probed && { probed: (result: RunResult) => store.probed!(run, result) }),
      keep: (finish, result) => store.keep(run, opened, finish, result),
    });
    return finish === finished ? asBefore(finished) : { run, finish, values };
  } finally {
    model.close();
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

/**
 * Decides how a run continues.
 *
 * @throws UserError for a checkpoint of another run: everything but the length must be unchanged
 */
async function continuation<Run extends ReadRun>(
  { config, labels }: Run,
  digests: readonly string[],
  fingerprint: string,
  store: RunStore<Run>,
): Promise<RunContinuation> {
  const saved = await store.saved(config);
  const isChanged = saved && saved.fingerprint !== fingerprint;
  const last = (isChanged && store.lastLength?.()) || readLength(config);
  const planned = saved && withLength(config, saved.planned ?? last);
  const own = planned ? computeFingerprint(planned, labels, digests) : fingerprint;
  if (saved && saved.fingerprint !== own) throw store.otherRun(config);
  return {
    saved,
    planned,
    isLonger: withLength(config, last) !== undefined,
    finished: saved && store.finished?.(),
    origin: {
      fingerprint: own,
      startedAt: saved?.startedAt ?? new Date(),
      ...(planned && { planned: readLength(planned) }),
    },
  };
}

/** The event that tells how much of something has been done before the first step. */
export function describeProgress(what: ProgressEvent['what'], share: number): ProgressEvent {
  return { type: 'progress', step: 0, what, share };
}
