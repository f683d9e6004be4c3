import type { EventOf } from '../run/events.ts';
import { adapterParameters } from '../tuners/tuner.ts';
import type { RunBeginning } from './begin-run.ts';
import type { SetUpRun } from './set-up-run.ts';

/** What is told before the first step. `startupMs`: from the process's start. */
export function startEvent(
  { config }: RunBeginning,
  { settings, inputs }: SetUpRun,
  step: number,
  startupMs: number,
): EventOf<'start'> {
  const { train, validation, values, method } = inputs;
  return {
    type: 'start',
    step,
    total_steps: settings.totalSteps,
    num_train_epochs: settings.totalSteps / settings.stepsPerEpoch,
    train_examples: train.lengths.length,
    eval_examples: validation?.count ?? 0,
    truncated: [train, ...(validation?.parts ?? []).map(({ examples }) => examples)].reduce(
      (sum, { truncated }) => sum + truncated,
      0,
    ),
    trainable_parameters: values.length,
    adapter_parameters: adapterParameters(method.tuner),
    ranks: method.ranks(),
    method: config.method,
    device: config.device,
    startup_ms: Math.round(startupMs),
  };
}
