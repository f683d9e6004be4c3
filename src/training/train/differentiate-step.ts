import { accumulate } from '../../methods/optim/gradient.ts';
import type { Communicator } from '../../program/parallel/communicator.ts';
import type { Objective, Program } from '../../program/program.ts';
import type { MicroBatch } from './step-batches.ts';

/** The result for all batches of a step. */
type StepObjective = Omit<Objective, 'share'> & {
  /** Whether any process wants to stop. */
  stops: boolean;
};

/** Number of sums that follow the gradient: see {@link differentiateStep}. */
const SUMS = 4;
/** Allowed difference between the sum of the shares and 1. Shares are summed in 32 bits. */
const SHARE_TOLERANCE = 1e-4;

/**
 * Computes the loss and gradient of a step: means over all labels of its micro-batches. R does not depend on the
 * micro-batches. If several processes share the run, each contributes the results for its examples. One all-reduce sums
 * gradients, losses, shares, R and stop requests.
 */
export async function differentiateStep(
  program: Program,
  values: Float32Array,
  batches: readonly MicroBatch[],
  seed: number,
  stops = false,
): Promise<StepObjective> {
  const { communicator } = program;
  const of = ({ feeds, number }: MicroBatch, division?: Communicator) =>
    program.differentiate(values, feeds, seed, number, division);
  const isJoint = program.parts.model.joint !== undefined;
  const isSingle = batches.length === 1 && communicator.size === 1;
  const isSplit = batches.some((batch) => program.countParts(batch) > 1);
  if (isSingle && !isSplit && !(isJoint && batches[0]!.chunk)) return { ...(await of(batches[0]!)), stops };
  const length = values.length + (program.parts.tuner.watches ?? 0);
  const sums = new Float32Array(length + SUMS);
  const gradient = sums.subarray(0, length);
  let loss = 0;
  let shares = 0;
  let regularizer: number | undefined;
  async function* each() {
    for (const batch of batches) {
      if (program.parts.tuner.watchesLast) gradient.fill(0, values.length);
      const count = program.countParts(batch);
      for (let i = 0; i < count; i++) {
        const { rank, size } = communicator;
        const division = { ...communicator, rank: rank * count + i, size: size * count };
        const part = await of(batch, division);
        yield { ...part, share: batch.weight * part.share };
      }
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
  sums.set([loss, shares, shares * (regularizer ?? 0), Number(stops)], length);
  communicator.allReduce(sums);
  const [meanLoss, allShares, meanRegularizer, stopping] = sums.subarray(length);
  if (Math.abs(allShares! - 1) > SHARE_TOLERANCE)
    throw new Error(`the processes computed ${allShares} of the batch together, not all of it`);
  const { regularizer: term } = program.parts.tuner;
  return {
    loss: meanLoss!,
    regularizer: term && term.weight !== 0 ? meanRegularizer : undefined,
    gradient,
    stops: stopping! > 0,
  };
}
