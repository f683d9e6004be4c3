import type { MeasuredAllocation } from '../../methods/tuners/method-run.ts';
import type { Processes } from '../../program/parallel/communicator.ts';
import { fromFirst } from '../../program/parallel/from-first.ts';
import { oncePerHost, together } from '../../program/parallel/together.ts';
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
import type { ParsedConfig, RunConfig } from '../../training/run/config/run-config.ts';
import type { FinishEvent, ProgressEvent, TrainEvent } from '../../training/run/events.ts';
import type { TrainerHost } from '../../training/train/trainer.ts';
import { assertSameRun } from './assert-same-run.ts';
import type { RunResult } from './contenders/conclude.ts';
import type { FoldStore } from './contenders/folds.ts';
import { driveRun } from './drive-run.ts';
import { everySecond } from './every-second.ts';
import type { RunMachine } from './machine.ts';
import { type InMemory, type ReadRun, readRun } from './read-run.ts';
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
export interface RunStore {
  /** Whether a run may be resumed. Otherwise, its files need no digests. */
  hasCheckpoints: boolean;
  /** Throws a UserError for a run whose result cannot be stored. */
  admit?(run: ReadRun): Promise<void>;
  /** The newest checkpoint, if the run is resumed. */
  saved(config: RunConfig): SavedState | undefined | Promise<SavedState | undefined>;
  /** The length with which the run was last trained, if it is known besides the checkpoint. */
  lastLength?(): RunLength | undefined;
  /** How the run ended. Undefined if it did not. */
  finished?(): FinishEvent | undefined;
  /** The error for a checkpoint of another run. */
  otherRun(config: RunConfig): UserError;
  /** Called before the first event. */
  begin?(run: ReadRun, how: RunContinuation, measured: MeasuredAllocation | undefined): void;
  /** Stores a checkpoint. Without it, nothing is stored. Returns its path. */
  save?(run: ReadRun, state: TrainerState, how: RunContinuation): string | Promise<string>;
  /** Whether it is time for a checkpoint. */
  isSaveDue?: TrainerHost['isSaveDue'];
  onImportance?: TrainerHost['onImportance'];
  /** Keeps the folds of a cross-validation. Called in every process. */
  folds?(run: ReadRun, origin: CheckpointOrigin): Promise<FoldStore>;
  /** Called with a linear probe before the first step, if the run has one and does not resume. */
  probed?(run: ReadRun, result: RunResult): void | Promise<void>;
  /** Called in every process with the result before the last event, unless the run was stopped. */
  keep(run: ReadRun, opened: SetUpRun, finish: FinishEvent, result: RunResult): void | Promise<void>;
}

/** The surroundings of a run. */
export interface TrainRunOptions {
  memory?: InMemory;
  processes: Processes;
  store: RunStore;
  /** Receives events and decides about steps. Only that of process 0 is called. */
  host: Pick<TrainerHost, 'shouldStop' | 'onStepEnd'> & { emit(event: TrainEvent): void };
}

/** A run's last event, and what was trained. */
export interface TrainedRun {
  run: ReadRun;
  finish: FinishEvent;
  /** Undefined if the run had finished before. */
  values?: Float32Array;
}

/**
 * Does a whole training in this thread: reads and loads everything, trains, and stores the result. Nothing is stored
 * before everything is loaded. If the run is already finished, its result is returned.
 */
export async function trainRun(
  machine: RunMachine,
  given: ParsedConfig,
  { memory, processes, store, host }: TrainRunOptions,
): Promise<TrainedRun> {
  const { communicator } = processes;
  const isFirst = communicator.rank === 0;
  const emit = (event: TrainEvent) => {
    if (isFirst) host.emit(event);
  };
  const progress = (what: ProgressEvent['what']) =>
    everySecond((share) => emit({ type: 'progress', step: 0, what, share }));
  const notice = (step: number, message: string) => emit({ type: 'notice', step, message });
  const run = await oncePerHost(communicator, async () => {
    const onDownload = progress('download');
    const read = await readRun(machine, given, memory, ({ received, total }) => onDownload(received / total));
    await store.admit?.(read);
    return read;
  });
  const { config } = run;
  const files = await together(communicator, () => (store.hasCheckpoints ? run.digests() : []));
  const digests = files.map(([, digest]) => digest);
  const fingerprint = computeFingerprint(config, run.labels, digests);
  assertSameRun(communicator, machine.version?.(), config, files, fingerprint);
  const how = await fromFirst(communicator, () => continuation(run, digests, fingerprint, store));
  const { saved, planned, finished, origin } = how;
  const asBefore = (finish: FinishEvent) => {
    notice(finish.step, `${config.output} is already finished.`);
    emit(finish);
    return { run, finish };
  };
  if (finished && !how.isLonger && finished.reason !== 'stop_at_step') return asBefore(finished);

  const { model, engine } = await oncePerHost(communicator, () => machine.open(run, processes, progress));
  try {
    const opened = await together(communicator, () =>
      setUpRun(run, model, engine, {
        startedAt: origin.startedAt,
        onProgress: progress('text'),
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
      startupMs: machine.startupMs,
      ...(folds && { folds }),
      host: {
        emit,
        shouldStop: host.shouldStop,
        ...(onStepEnd && { onStepEnd: (state) => fromFirst(communicator, () => onStepEnd(state)) }),
        onImportance: store.onImportance,
        ...(isFirst && store.save && { save: (state) => store.save!(run, state, how) }),
        ...(store.isSaveDue && { isSaveDue: store.isSaveDue }),
        peakMemoryMb: machine.peakMemoryMb,
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
async function continuation(
  { config, labels }: ReadRun,
  digests: readonly string[],
  fingerprint: string,
  store: RunStore,
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
