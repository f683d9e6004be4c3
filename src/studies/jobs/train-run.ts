import type { MeasuredAllocation } from '../../methods/tuners/method-run.ts';
import type { Processes } from '../../program/parallel/communicator.ts';
import { fromFirst } from '../../program/parallel/from-first.ts';
import { oncePerHost, together } from '../../program/parallel/together.ts';
import { joinedFloats } from '../../support/arrays.ts';
import { releasing } from '../../support/opened.ts';
import { UserError } from '../../support/user-error.ts';
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
import { Trainer, type TrainerHost } from '../../training/train/trainer.ts';
import { type TrainerSettings, trainerSettings } from '../../training/train/trainer-settings.ts';
import { assertSameRun } from './assert-same-run.ts';
import { beforeFirstStep } from './before-first-step.ts';
import { conclude, concludeCompared, probeResult, type RunResult, unjudged } from './contenders/conclude.ts';
import {
  computing,
  type FoldStore,
  foldExamples,
  foldOutputs,
  layerInLoss,
  NO_FOLDS,
} from './contenders/folds.ts';
import { frozenProbe, probeScore } from './contenders/frozen.ts';
import { everySecond } from './every-second.ts';
import type { RunMachine } from './machine.ts';
import { type InMemory, type ReadRun, readRun } from './read-run.ts';
import { type SetUpRun, setUpRun, startNotices, withLayer } from './set-up-run.ts';
import { startEvent, trainedFolds, workAhead } from './start-event.ts';
import { toBeat } from './verdict/diagnose.ts';
import { judgeRun, unscoredNotices } from './verdict/judge-run.ts';

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
  const emit = (event: TrainEvent) => {
    if (communicator.rank === 0) host.emit(event);
  };
  const progress = (what: ProgressEvent['what']) =>
    everySecond((share) => emit({ type: 'progress', step: 0, what, share }));
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
  const { planned, finished, origin } = how;
  const asBefore = (finish: FinishEvent) => {
    emit({ type: 'notice', step: finish.step, message: `${config.output} is already finished.` });
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
    const parts = { processes, store, host: { ...host, emit } };
    const { finish, values } = await driveRun(machine, run, opened, parts, how);
    return finish === finished ? asBefore(finished) : { run, finish, values };
  } finally {
    model.close();
  }
}

/**
 * Trains a run that is set up, from its first event to its last.
 *
 * @throws UserError for an intact checkpoint that does not fit the run, because another program wrote it, and for a run
 * that is shorter than planned
 */
async function driveRun(
  machine: RunMachine,
  run: ReadRun,
  opened: SetUpRun,
  { processes, store, host: own }: TrainRunOptions,
  how: RunContinuation,
): Promise<{ finish: FinishEvent; values: Float32Array }> {
  const { config } = run;
  const { communicator } = processes;
  const isFirst = communicator.rank === 0;
  const { saved, planned, finished } = how;
  const { emit, onStepEnd } = own;
  const { save } = store;
  const host: TrainerHost = {
    ...own,
    peakMemoryMb: machine.peakMemoryMb,
    onStepEnd: onStepEnd && ((state) => fromFirst(communicator, () => onStepEnd(state))),
    onImportance: store.onImportance,
    save: isFirst && save ? (state) => save(run, state, how) : undefined,
    isSaveDue: store.isSaveDue,
  };
  const folds = run.folds && foldExamples(run.folds, opened.inputs.train);
  const kept = (folds && (await store.folds?.(run, how.origin))) ?? NO_FOLDS;
  const isJudged = folds !== undefined || opened.validationRows !== undefined;
  const needsProbe = isJudged || opened.model.layer !== undefined;
  const { rows, compared, inputs, settings } = opened;
  const probing = {
    folds,
    seed: config.seed,
    classWeights: settings.classWeights,
    known: kept.features,
  };
  const probe =
    needsProbe && rows
      ? await computing(opened, inputs, (frozen) => frozenProbe(rows, frozen, probing))
      : undefined;
  const all = Int32Array.from(inputs.train.lengths.keys());
  const layer = probe && (await layerInLoss(opened, probe, all));
  const start = layer ? opened.with(withLayer(inputs.train, layer)) : opened;
  const { loaded, measured } = saved ? { loaded: start } : await beforeFirstStep(start, config);
  const trainer = new Trainer(loaded.inputs, loaded.settings, host);
  const { totalSteps, stopStep } = loaded.settings;
  if (saved) {
    await trainer.restore(saved.state, saved.path);
    const { lengths } = loaded.inputs.train;
    assertNotShorter(loaded.settings, planned && trainerSettings(planned, lengths.length), trainer.step);
  }
  if (finished && trainer.step === stopStep) return { finish: finished, values: trainer.values };
  const baselines = await opened.baselines();
  const notice = (message: string, step = trainer.step) => emit({ type: 'notice', step, message });
  const count = folds ? trainedFolds(config, loaded, folds.length) : 0;
  const announce = () => {
    const to_beat = toBeat(config, baselines, folds && probe && probeScore(opened, probe, config));
    const ahead = workAhead(loaded, probe, folds?.length, count);
    emit(startEvent(run, loaded, to_beat, trainer.step, ahead, machine.startupMs()));
    if (measured) emit({ type: 'allocation', ...measured.allocation });
    if (planned)
      notice(
        `The run continues to step ${totalSteps}. Ranks stay as planned; the learning rate follows the new length.`,
      );
    if (!saved) for (const message of startNotices(run, loaded)) notice(message, 0);
    const message = describeProcesses(processes);
    if (message) notice(message, saved?.state.step ?? 0);
  };
  const { trained, outOfFold } = await releasing(trainer, async () => {
    await trainer.prepare();
    await together(communicator, () => {
      if (!isFirst) return;
      store.begin?.(run, how, measured);
      announce();
    });
    const untuned = probe && store.probed && (await probeResult(run, opened, probe));
    if (untuned) await store.probed?.(run, untuned);
    if (folds && probe && !kept.features) await kept.keepFeatures(joinedFloats(probe.features));
    const onProgress = everySecond((share) =>
      emit({ type: 'progress', step: trainer.step, what: 'folds', share }),
    );
    const outOfFold =
      folds &&
      (probe || compared) &&
      (await foldOutputs(opened, config, probe, folds, count, { host, store: kept, onProgress }));
    // A run that was stopped between folds ends here too, with a checkpoint of its start.
    return { trained: await trainer.run(), outOfFold };
  });
  const tuned = { method: loaded.inputs.method, values: trainer.values };
  const isOver = trained.reason !== 'stopped';
  const concluding = async () => {
    const before = opened.with(inputs.train);
    if (compared && (folds || config.training.floor))
      return concludeCompared(run, before, tuned, compared, outOfFold);
    return isJudged && probe ? conclude(run, before, tuned, probe, outOfFold) : undefined;
  };
  const conclusion = isOver ? await concluding() : undefined;
  const finish = await judgeRun(run, loaded, trainer, trained, baselines, conclusion);
  if (isOver)
    await store.keep(run, opened, finish, conclusion?.result ?? (await unjudged(run, opened, tuned)));
  for (const message of unscoredNotices(run, loaded, trainer, finish, baselines))
    notice(message, finish.step);
  emit(finish);
  return { finish, values: conclusion?.result.values ?? tuned.values };
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
      planned: planned && readLength(planned),
    },
  };
}

/**
 * Checks that the run's planned length has not become smaller, because the schedule depends on it. A run may
 * be extended, or end early.
 *
 * @throws UserError that explains how to end it early
 */
function assertNotShorter(
  { totalSteps, stopStep }: TrainerSettings,
  planned: TrainerSettings | undefined,
  step: number,
): void {
  const least = planned?.totalSteps ?? 0;
  if (totalSteps < least) {
    throw new UserError({
      key: 'training.max_steps or num_train_epochs',
      fault: `gives ${totalSteps} steps, fewer than the ${least} that this run was planned for`,
      hint: `Resume with the original length. To stop at this step on the same schedule, set training.stop_at_step: ${Math.max(totalSteps, step)}.`,
    });
  }
  if (totalSteps < step) {
    throw new UserError({
      key: 'training.max_steps or num_train_epochs',
      fault: `gives ${totalSteps} steps, but the newest checkpoint is at step ${step}`,
      hint: "Resume with the run's own config.yaml.",
    });
  }
  if (stopStep >= step) return;
  throw new UserError({
    where: 'training.stop_at_step',
    fault: `must be ${step} or later, the step of the newest checkpoint, got ${stopStep}`,
  });
}
