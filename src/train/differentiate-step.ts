import { accumulate } from '../optim/accumulate.ts';
import type { Objective, Program } from '../program/program.ts';
import type { MicroBatch } from './step-batches.ts';

/** Loss and gradient of a step: the means over all that its micro-batches have labels for. R depends on none of it. */
export async function differentiateStep(
  program: Program,
  values: Float32Array,
  batches: readonly MicroBatch[],
  seed: number,
): Promise<Objective> {
  const of = ({ feeds, number }: MicroBatch) => program.differentiate(values, feeds, seed, number);
  if (batches.length === 1) return of(batches[0]);
  const gradient = new Float32Array(values.length);
  let loss = 0;
  let regularizer: number | undefined;
  for (const batch of batches) {
    const part = await of(batch);
    loss += batch.weight * part.loss;
    accumulate(gradient, part.gradient, batch.weight);
    regularizer = part.regularizer;
  }
  return { loss, regularizer, gradient };
}
