import type { Tensors } from '../../engine/runtime/session.ts';
import { accumulate, globalNorm } from '../../methods/optim/gradient.ts';
import type { InputsOf, MeasuredAllocation } from '../../methods/tuners/method-run.ts';
import { moduleInputs } from '../../program/module-inputs.ts';
import { Program } from '../../program/program.ts';
import type { LoadedModel } from '../../program/weight-memory.ts';
import { releasing } from '../../support/opened.ts';
import { UserError } from '../../support/user-error.ts';
import { differentiateStep } from './differentiate-step.ts';
import { StepBatches } from './step-batches.ts';
import type { TrainerInputs } from './trainer.ts';
import type { TrainerSettings } from './trainer-settings.ts';

/**
 * Does the measurement that the method needs before the first step. Undefined if it needs none. It may change the method's
 * tuner.
 *
 * @returns the decision, and the values before the first step
 */
export async function measureFirst(
  { method, engine, model, train, communicator }: TrainerInputs,
  settings: TrainerSettings,
  readerOf: LoadedModel['reader'],
): Promise<{ measured: MeasuredAllocation; values: Float32Array } | undefined> {
  if (!method.measurement) return undefined;
  const { seed } = settings;
  const { tuner, steps, settle } = method.measurement;
  const program = new Program(engine, model, tuner, { ...settings, communicator });
  const batches = new StepBatches(train, settings);
  const reader = readerOf(seed);
  return releasing(program, async () => {
    const gradientAt = async (values: Float32Array) => {
      const sum = new Float32Array(values.length);
      let usable = 0;
      for (let step = 0; step < steps; step++) {
        const { gradient } = await differentiateStep(program, values, batches.of(step), seed);
        // As in training, a step with a non-finite gradient is skipped.
        if (!Number.isFinite(globalNorm(gradient))) continue;
        accumulate(sum, gradient, 1);
        usable++;
      }
      if (usable === 0)
        throw new UserError({
          where: 'the measurement before training',
          fault: `found no finite gradient in ${steps} steps`,
          hint: 'Check the data, or train with method: lora.',
        });
      return sum.map((value) => value / usable);
    };
    const inputsOf: InputsOf = (paths) =>
      moduleInputs({ model, engine, communicator }, paths, listFeeds(batches));
    const measured = await settle(seed, tuner.initialValues(seed, reader), gradientAt, inputsOf);
    const values = method.tuner.initialValues(seed, reader);
    measured.begin?.(values);
    return { measured, values };
  });
}

/** Yields the run's batches without end. */
function* listFeeds(batches: StepBatches): Generator<Tensors> {
  for (let step = 0; ; step++) for (const { feeds } of batches.of(step)) yield feeds;
}
