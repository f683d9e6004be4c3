import type { MeasuredAllocation } from '../../methods/tuners/method-run.ts';
import { joinedFloats } from '../../support/arrays.ts';
import { releasing } from '../../support/opened.ts';
import { UserError } from '../../support/user-error.ts';
import type { TrainerState } from '../../training/run/checkpoint.ts';
import { affordableFolds, estimateWork } from '../../training/run/config/defaults/policy.ts';
import type { RunConfig } from '../../training/run/config/run-config.ts';
import type { FinishEvent } from '../../training/run/events.ts';
import { Trainer, type TrainerHost } from '../../training/train/trainer.ts';
import { type TrainerSettings, trainerSettings } from '../../training/train/trainer-settings.ts';
import { beforeFirstStep } from './before-first-step.ts';
import type { RunBeginning } from './begin-run.ts';
import { computing, conclude, probeResult, type RunResult, unjudged } from './contenders/conclude.ts';
import { type FoldStore, foldExamples, foldOutputs, layerInLoss, NO_FOLDS } from './contenders/folds.ts';
import { type FrozenProbe, frozenProbe, probeScore } from './contenders/frozen.ts';
import { everySecond } from './every-second.ts';
import { type SetUpRun, startNotices, withLayer } from './set-up-run.ts';
import { startEvent } from './start-event.ts';
import { toBeat } from './verdict/diagnose.ts';
import { judgeRun, unscoredNotices } from './verdict/judge-run.ts';

/** A platform's part in a run. */
export interface RunDriver {
  host: TrainerHost;
  /** The checkpoint to resume from. `path` is its name in messages. */
  saved?: { state: TrainerState; path: string };
  /** The original config, if the run has been extended. */
  planned?: RunConfig;
  /** How the run ended before. It is returned if no step is left. */
  finished?: FinishEvent;
  /** Keeps the folds of a cross-validation. Default: nothing is kept. */
  folds?: FoldStore;
  /** Milliseconds since the start of the process or of the call. */
  startupMs(): number;
  /** Called before the first step. `announce` emits the first events. */
  begin(announce: () => void, measured: MeasuredAllocation | undefined): void | Promise<void>;
  /** Called with a linear probe before the first step, if the run has one and does not resume. */
  probed?(result: RunResult): void | Promise<void>;
  /** Called with the result before the last event, unless the run was stopped. */
  keep(finish: FinishEvent, result: RunResult): void | Promise<void>;
}

/**
 * Trains a run that is set up, from its first event to its last.
 *
 * @throws UserError for an intact checkpoint that does not fit the run, because another program wrote it, and for a run
 * that is shorter than planned
 */
export async function driveRun(
  run: RunBeginning,
  opened: SetUpRun,
  { host, saved, planned, finished, folds: store = NO_FOLDS, startupMs, begin, probed, keep }: RunDriver,
): Promise<{ finish: FinishEvent; values: Float32Array }> {
  const { config } = run;
  const folds = run.folds && foldExamples(run.folds, opened.inputs.train);
  const isJudged = folds !== undefined || opened.validationRows !== undefined;
  const needsProbe = isJudged || opened.model.layer !== undefined;
  const { rows, inputs, settings } = opened;
  const probing = {
    folds,
    seed: config.seed,
    classWeights: settings.classWeights,
    known: store.features,
  };
  const probe =
    needsProbe && rows
      ? await computing(opened, inputs, (frozen) => frozenProbe(rows, frozen, probing))
      : undefined;
  const all = Int32Array.from(opened.inputs.train.lengths.keys());
  const layer = probe && (await layerInLoss(opened, probe, all));
  const start = () => (layer ? opened.with(withLayer(opened.inputs.train, layer)) : opened);
  const { loaded, measured } = saved ? { loaded: start() } : await beforeFirstStep(start(), config);
  const trainer = new Trainer(loaded.inputs, loaded.settings, host);
  const { totalSteps, stopStep } = loaded.settings;
  if (saved) {
    const { state, path: where } = saved;
    await trainer.restore(state).catch(({ message }) => {
      throw new UserError({ where, fault: `is not a checkpoint of this run: ${message}` });
    });
    const { lengths } = loaded.inputs.train;
    assertNotShorter(loaded.settings, planned && trainerSettings(planned, lengths.length), trainer.step);
  }
  if (finished && trainer.step === stopStep) return { finish: finished, values: trainer.values };
  const baselines = await opened.baselines();
  const notice = (message: string, step = trainer.step) => host.emit({ type: 'notice', step, message });
  const count = folds ? trainedFolds(config, loaded, folds.length) : 0;
  const announce = () => {
    const to_beat = toBeat(config, baselines, folds && probe && probeScore(opened, probe, config));
    const ahead = workAhead(loaded, probe, folds?.length, count);
    host.emit(startEvent(run, loaded, to_beat, trainer.step, ahead, startupMs()));
    if (measured) host.emit({ type: 'allocation', ...measured.allocation });
    if (planned)
      notice(
        `The run continues to step ${totalSteps}. Ranks stay as planned; the learning rate follows the new length.`,
      );
    if (!saved) for (const message of startNotices(run, loaded)) notice(message, 0);
  };
  const { trained, outOfFold } = await releasing(trainer, async () => {
    await trainer.prepare();
    await begin(announce, measured);
    const untuned = probe && probed && (await probeResult(run, opened, probe));
    if (untuned) await probed(untuned);
    if (folds && probe && !store.features) store.keepFeatures(joinedFloats(probe.features));
    const onProgress = everySecond((share) =>
      host.emit({ type: 'progress', step: trainer.step, what: 'folds', share }),
    );
    const outOfFold =
      folds && probe && (await foldOutputs(opened, config, probe, folds, count, { host, store, onProgress }));
    // A run that was stopped between folds ends here too, with a checkpoint of its start.
    return { trained: await trainer.run(), outOfFold };
  });
  const tuned = { method: loaded.inputs.method, values: trainer.values };
  const isOver = trained.reason !== 'stopped';
  const conclusion =
    isOver && isJudged && probe
      ? await conclude(run, opened.with(opened.inputs.train), tuned, probe, outOfFold)
      : undefined;
  const finish = await judgeRun(run, loaded, trainer, trained, baselines, conclusion);
  if (isOver) await keep(finish, conclusion?.result ?? (await unjudged(run, opened, tuned)));
  for (const message of unscoredNotices(run, loaded, trainer, finish, baselines))
    notice(message, finish.step);
  host.emit(finish);
  return { finish, values: conclusion?.result.values ?? tuned.values };
}

/** Seconds of a training step, in those of a prediction of the same texts in larger batches. Measured on two encoders. */
const STEP_COST = 2;

/** The steps of a cross-validation, and the estimated seconds of the whole run, from the time that features took. */
function workAhead(
  { settings: { totalSteps, stepsPerEpoch } }: SetUpRun,
  probe: FrozenProbe | undefined,
  folds = 1,
  count = 0,
): { foldSteps: number; seconds?: number | undefined } {
  const foldSteps = Math.round((count * totalSteps * (folds - 1)) / folds);
  if (count === 0 || probe?.secondsPerEpoch === undefined) return { foldSteps };
  const epochs = (foldSteps + totalSteps) / stepsPerEpoch;
  return { foldSteps, seconds: STEP_COST * epochs * probe.secondsPerEpoch };
}

/** The number of folds in which the model is fine-tuned: fewer if that would take too long. */
function trainedFolds({ training }: RunConfig, { inputs, model }: SetUpRun, folds: number): number {
  const { lengths } = inputs.train;
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  return affordableFolds(folds, estimateWork(model.linears, training.num_train_epochs * tokens));
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
