import type { FileDigest } from '../../input/formats/files.ts';
import {
  type Communicator,
  gatherJson,
  markAgreed,
  processName,
} from '../../program/parallel/communicator.ts';
import { fromFirst, oncePerHost, together } from '../../program/parallel/together.ts';
import { Program } from '../../program/program.ts';
import { releasing } from '../../support/opened.ts';
import { PROGRAM } from '../../support/program.ts';
import { lastPart } from '../../support/text.ts';
import { UserError } from '../../support/user-error.ts';
import { computeFingerprint, readLength, withLength } from '../../training/run/checkpoint.ts';
import { fingerprintSettings } from '../../training/run/config/fingerprint-settings.ts';
import type { RunConfig } from '../../training/run/config/run-config.ts';
import { Trainer, type TrainerHost } from '../../training/train/trainer.ts';
import { type TrainerSettings, trainerSettings } from '../../training/train/trainer-settings.ts';
import { encodeRun, encodingContext } from './encode-run.ts';
import { neededPreparation, readRun } from './read-run.ts';
import type { Run } from './run.ts';
import { beginTraining, measureTraining, startValues } from './set-up-run.ts';

/*
 * The stages before the first event. They read and open everything, so that a run which cannot be trained stores nothing.
 */

/** Reads everything but the weights. */
export async function readFiles(run: Run): Promise<void> {
  const onDownload = run.progress('download');
  run.files = await oncePerHost(run.communicator, async () => {
    const { machine, asked, memory } = run;
    const files = await readRun(machine, asked, memory, ({ received, total }) =>
      onDownload(received / total),
    );
    await run.store.admit?.(files);
    return files;
  });
}

/**
 * Finds the checkpoint that a run continues.
 *
 * @throws UserError for a checkpoint of another run: everything but the length must be unchanged
 */
export async function resume(run: Run): Promise<'over' | undefined> {
  const { files, communicator, store } = run;
  const { config, labels } = files;
  const named = await together(communicator, () => (store.hasCheckpoints ? files.digests() : []));
  const digests = named.map(([, digest]) => digest);
  const fingerprint = computeFingerprint(config, labels, digests);
  assertSameRun(communicator, run.machine.version?.(), config, named, fingerprint);
  const found = await fromFirst(communicator, async () => {
    const saved = await store.saved(config);
    const isChanged = saved && saved.fingerprint !== fingerprint;
    const last = (isChanged && store.lastLength?.()) || readLength(config);
    const planned = saved && withLength(config, saved.planned ?? last);
    const own = planned ? computeFingerprint(planned, labels, digests) : fingerprint;
    if (saved && saved.fingerprint !== own) throw store.otherRun(config);
    const startedAt = saved?.startedAt ?? new Date();
    return {
      saved,
      planned,
      isLonger: withLength(config, last) !== undefined,
      finished: saved && store.finished?.(),
      origin: { fingerprint: own, startedAt, planned: planned && readLength(planned) },
    };
  });
  Object.assign(run, found);
  const { finished, isLonger } = found;
  return finished && !isLonger && finished.reason !== 'stop_at_step' ? run.endAsBefore(finished) : undefined;
}

/** Opens the weights. */
export async function openBase(run: Run): Promise<void> {
  const { machine, files, processes, communicator } = run;
  run.base = await oncePerHost(communicator, () =>
    machine.open(files, processes, (what) => run.progress(what)),
  );
}

/** Lets the task compute what training reads besides the rows, unless the run has kept it. */
export async function prepareRows(run: Run): Promise<void> {
  const { files, base, communicator, origin, store } = run;
  const preparation = neededPreparation(files.config);
  if (!preparation) return;
  const onProgress = run.progress('preparation');
  const context = encodingContext(files, { startedAt: origin.startedAt, onProgress });
  const kept = store.rows?.(run);
  const { method, values } = startValues(files, base.model, UNKNOWN_STEPS);
  const program = new Program(base.engine, base.model, method.tuner, { communicator });
  const vectorsOf = async (name: string, rows: unknown) => {
    const known = await fromFirst(communicator, () => kept?.read(name));
    if (known) return known;
    const isTraining = name === 'train';
    const vectors = await preparation.compute(rows, { ...context, isTraining }, { program, values });
    if (run.isFirst) await kept?.write(name, vectors);
    return vectors;
  };
  const { train, validation } = files.rows;
  run.prepared = await releasing(program, async () => {
    const ofTrain = await vectorsOf('train', train);
    const ofSets: (readonly Float32Array[])[] = [];
    for (const [i, { rows }] of validation.entries()) ofSets.push(await vectorsOf(`validation-${i}`, rows));
    return { train: ofTrain, validation: ofSets };
  });
}

/** The number of steps depends on examples that are not encoded yet. Initial values do not depend on it. */
export const UNKNOWN_STEPS = 1e9;

/**
 * Encodes the rows and sets up the method.
 *
 * @throws UserError for unusable rows, and for an adapter of another model
 */
export async function encodeRows(run: Run): Promise<void> {
  const { files, communicator, origin, store, prepared } = run;
  await together(communicator, () => {
    const onProgress = run.progress('text');
    run.examples = encodeRun(files, { startedAt: origin.startedAt, onProgress, prepared });
    run.training = beginTraining(run, run.examples.train);
  });
  const kept = run.examples.judge?.folds && (await store.folds?.(run));
  if (kept) run.folds = kept;
}

/** Does the measurement of the method, unless the run continues after it. */
export async function measure(run: Run): Promise<void> {
  if (run.saved) return;
  Object.assign(run, await measureTraining(run, run.training));
}

/**
 * Sets up the training loop, at the step of the checkpoint.
 *
 * @throws UserError for an intact checkpoint that does not fit the run, because another program wrote it, and for a run
 * that is shorter than planned
 */
export async function startTrainer(run: Run): Promise<'over' | undefined> {
  const { training, saved, planned, finished } = run;
  const { inputs, settings } = training;
  const trainer = new Trainer(inputs, settings, createTrainerHost(run));
  run.trainer = trainer;
  if (saved) {
    await trainer.restore(saved.state, saved.path);
    assertNotShorter(
      settings,
      planned && trainerSettings(planned, inputs.train.lengths.length),
      trainer.step,
    );
  }
  return finished && trainer.step === settings.stopStep ? run.endAsBefore(finished) : undefined;
}

function createTrainerHost(run: Run): TrainerHost {
  const { host, store, communicator } = run;
  const { onStepEnd } = host;
  return {
    emit: (event) => run.emit(event),
    shouldStop: host.shouldStop,
    onStepEnd: onStepEnd && ((state) => fromFirst(communicator, () => onStepEnd(state))),
    onImportance: (...allocated) => store.onImportance?.(...allocated),
    save: run.isFirst && store.save ? (state) => store.save!(run, state) : undefined,
    isSaveDue: store.isSaveDue,
    peakMemoryMb: run.machine.peakMemoryMb,
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

/** The maximum number of differences in one message. */
const MAX_NAMED = 5;

/**
 * Checks that facts are equal in all processes before they start.
 *
 * @param facts by display name
 * @throws UserError that names the facts that differ, and the first process that differs from process 0
 */
export function assertAgreed(communicator: Communicator, facts: Readonly<Record<string, string>>): void {
  const [first, ...others] = gatherJson(communicator, facts);
  for (const [i, other] of others.entries()) {
    const names = [...new Set([...Object.keys(first!), ...Object.keys(other)])];
    const differing = names.filter((name) => first![name] !== other[name]);
    if (differing.length === 0) continue;
    const said = (facts: Readonly<Record<string, string>>) =>
      differing
        .slice(0, MAX_NAMED)
        .flatMap((name) => (facts[name] === undefined ? [] : [`${name} ${facts[name]}`]))
        .join(', ') || 'nothing';
    throw markAgreed(
      new UserError({
        where: processName(communicator, i + 1),
        fault: `has another config, data, model or version than ${processName(communicator, 0)}: ${said(other)} instead of ${said(first!)}`,
        hint: 'Give every host the same files and the same installation.',
      }),
    );
  }
}

/** Digits of a digest in messages, enough to distinguish files. */
const SHOWN = 12;

/**
 * Checks that all processes are about to do the same run.
 *
 * @param version the version of this program
 * @param files everything that determines the run's values
 * @throws UserError if two hosts differ in version, config, data or model; it names the difference with both
 * values
 */
function assertSameRun(
  communicator: Communicator,
  version: string | undefined,
  config: RunConfig,
  files: readonly FileDigest[],
  fingerprint: string,
): void {
  if (communicator.size === 1) return;
  const byName = files.map(([name, digest]): [string, string] => [
    `the file ${lastPart(name)}`,
    digest.slice(0, SHOWN),
  ]);
  assertAgreed(communicator, {
    ...(version !== undefined && { [PROGRAM]: version }),
    ...Object.fromEntries(fingerprintSettings(config)),
    ...Object.fromEntries(byName),
    fingerprint: fingerprint.slice(0, SHOWN),
  });
}
