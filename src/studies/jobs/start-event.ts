import { adapterParameters } from '../../methods/tuners/tuner.ts';
import { addUp } from '../../support/numbers.ts';
import { scorePrefixes } from '../../tasks/data-files.ts';
import { taskNamed } from '../../tasks/registry.ts';
import { affordableFolds, estimateWork } from '../../training/run/config/defaults/policy.ts';
import { describeChosen } from '../../training/run/config/resolve-config.ts';
import type { RunConfig } from '../../training/run/config/run-config.ts';
import type { EventOf } from '../../training/run/events.ts';
import type { ToBeat } from '../../training/run/verdict.ts';
import type { RunBeginning } from './begin-run.ts';
import type { FrozenProbe } from './contenders/frozen.ts';
import type { SetUpRun } from './set-up-run.ts';

/**
 * The event before the first step.
 *
 * @param ahead the steps of a cross-validation that comes first, and the estimated seconds of the whole run
 * @param startupMs counts from the start of the process
 */
export function startEvent(
  run: RunBeginning,
  { settings, inputs }: SetUpRun,
  to_beat: readonly ToBeat[],
  step: number,
  ahead: { foldSteps: number; seconds?: number | undefined },
  startupMs: number,
): EventOf<'start'> {
  const { config, labels, chosen } = run;
  const { train, validation, values, method } = inputs;
  const averages = Object.entries(taskNamed(config.task).classes?.averages?.(labels) ?? {});
  const named = scorePrefixes(config.data.validation).flatMap((prefix) =>
    averages.map(([name, average]) => [prefix + name, average]),
  );
  return {
    type: 'start',
    step,
    total_steps: settings.totalSteps,
    num_train_epochs: settings.totalSteps / settings.stepsPerEpoch,
    train_examples: train.lengths.length,
    eval_examples: validation?.count ?? 0,
    truncated: train.truncated + addUp(validation?.parts ?? [], ({ examples }) => examples.truncated),
    trainable_parameters: values.length,
    adapter_parameters: adapterParameters(method.tuner),
    ranks: method.ranks(),
    ...(named.length > 0 && { averages: Object.fromEntries(named) }),
    ...(to_beat.length > 0 && { to_beat: [...to_beat] }),
    metric_for_best_model: config.training.metric_for_best_model,
    method: config.method,
    device: config.device,
    training: { ...config.training },
    ...(chosen.length > 0 && { chosen: chosen.map(describeChosen) }),
    ...(ahead.foldSteps > 0 && { fold_steps: ahead.foldSteps }),
    ...(ahead.seconds !== undefined && { expected_seconds: ahead.seconds }),
    startup_ms: Math.round(startupMs),
  };
}

/** Seconds of a training step, in those of a prediction of the same texts in larger batches. Measured on two encoders. */
const STEP_COST = 2;

/** The steps of a cross-validation, and the estimated seconds of the whole run, from the time that features took. */
export function workAhead(
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
export function trainedFolds({ training }: RunConfig, { inputs, model }: SetUpRun, folds: number): number {
  const { lengths } = inputs.train;
  const tokens = addUp(lengths);
  return affordableFolds(folds, estimateWork(model.linears, training.num_train_epochs * tokens));
}
