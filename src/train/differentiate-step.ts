import { accumulate } from '../optim/accumulate.ts';
import type { Objective, Program } from '../program/program.ts';
import type { MicroBatch } from './step-batches.ts';

/** The result for a step's batches. */
export type StepObjective = Omit<Objective, 'share'> & {
  /** Whether a process wants to stop. */
  stops: boolean;
};

/** Sums after the gradient: see {@link differentiateStep}. */
const SUMS = 4;
/** Shares are summed in 32 bits. */
const SHARE_TOLERANCE = 1e-4;

/**
 * Loss and gradient of a step: means over all labels of its micro-batches. R does not depend on them. If several
 * processes share the run, each contributes the results for its examples, and one all-reduce sums gradients, losses,
 * shares, R and stop requests.
 */
export async function differentiateStep(
  program: Program,
  values: Float32Array,
  batches: readonly MicroBatch[],
  seed: number,
  stops = false,
): Promise<StepObjective> {
  const { communicator } = program;
  const of = ({ feeds, number }: MicroBatch) => program.differentiate(values, feeds, seed, number);
  const isJoint = program.parts.model.joint !== undefined;
  if (batches.length === 1 && communicator.size === 1 && !(isJoint && batches[0].chunk))
    return { ...(await of(batches[0])), stops };
  const sums = new Float32Array(values.length + SUMS);
  const gradient = sums.subarray(0, values.length);
  let loss = 0;
  let shares = 0;
  let regularizer: number | undefined;
  async function* each() {
    for (const batch of batches) {
      const part = await of(batch);
      yield { ...part, share: batch.weight * part.share };
    }
  }
  for await (const part of isJoint ? program.differentiateJointly(values, batches, seed) : each()) {
    const { share } = part;
    loss += share * part.loss;
    shares += share;
    accumulate(gradient, part.gradient, share);
    regularizer = part.regularizer ?? regularizer;
  }
  if (communicator.size === 1) return { loss, regularizer, gradient, stops };
  sums.set([loss, shares, shares * (regularizer ?? 0), Number(stops)], values.length);
  communicator.allReduce(sums);
  const [meanLoss, allShares, meanRegularizer, stopping] = sums.subarray(values.length);
  if (Math.abs(allShares - 1) > SHARE_TOLERANCE)
    throw new Error(`the processes computed ${allShares} of the batch together, not all of it`);
  const { regularizer: term } = program.parts.tuner;
  return {
    loss: meanLoss,
    regularizer: term && term.weight !== 0 ? meanRegularizer : undefined,
    gradient,
    stops: stopping > 0,
  };
}
