import type { Tensors } from '../../engine/runtime/session.ts';
import { accumulate, globalNorm } from '../../methods/optim/gradient.ts';
import type { InputsOf, MeasuredAllocation } from '../../methods/tuners/method-run.ts';
import { Program } from '../../program/program.ts';
import { releasing } from '../../support/opened.ts';
import { UserError } from '../../support/user-error.ts';
import type { RunConfig } from '../../training/run/config/run-config.ts';
import { differentiateStep } from '../../training/train/differentiate-step.ts';
import { StepBatches } from '../../training/train/step-batches.ts';
import { moduleInputs } from './module-inputs.ts';
import type { SetUpRun } from './set-up-run.ts';

/**
 * Does the measurement that the method needs before the first step. Returns the changed run, or the same run
 * if the method needs no measurement.
 */
export async function beforeFirstStep(
  loaded: SetUpRun,
  { seed }: Pick<RunConfig, 'seed'>,
): Promise<{ loaded: SetUpRun; measured?: MeasuredAllocation }> {
  const { inputs, settings, model } = loaded;
  const { method, engine, train, communicator } = inputs;
  if (!method.measurement) return { loaded };
  const { tuner, steps, settle } = method.measurement;
  const program = new Program(engine, inputs.model, tuner, { ...settings, communicator });
  const batches = new StepBatches(train, settings);
  const reader = model.reader(seed);
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
      moduleInputs({ model: inputs.model, engine, communicator }, paths, listFeeds(batches));
    const measured = await settle(seed, tuner.initialValues(seed, reader), gradientAt, inputsOf);
    const values = method.tuner.initialValues(seed, reader);
    measured.begin?.(values);
    return { loaded: { ...loaded, inputs: { ...inputs, values } }, measured };
  });
}

/** Yields the run's batches without end. */
function* listFeeds(batches: StepBatches): Generator<Tensors> {
  for (let step = 0; ; step++) for (const { feeds } of batches.of(step)) yield feeds;
}
