import {
  accumulate,
  type GradientNoise,
  type GradientParts,
  globalNorm,
  gradientNoise,
} from '../../methods/optim/gradient.ts';
import type { Communicator } from '../../program/parallel/communicator.ts';
import type { Objective, Program } from '../../program/program.ts';
import type { MicroBatch } from './step-batches.ts';

/** The result for all batches of a step. */
export type StepObjective = Omit<Objective, 'share' | 'examples'> & {
  /** Whether any process wants to stop. */
  stops: boolean;
  noise?: GradientNoise;
};

/** Number of sums that follow the gradient: see {@link differentiateStep}. */
const SUMS = 7;
/** Allowed difference between the sum of the shares and 1. Shares are summed in 32 bits. */
const SHARE_TOLERANCE = 1e-4;

/**
 * Computes the loss and gradient of a step: means over all labels of its micro-batches. R does not depend on the
 * micro-batches. If several processes share the run, each contributes the results for its examples. One all-reduce sums
 * gradients, losses, shares, R and stop requests.
 *
 * @param measuresNoise compares the gradients of the parts of a step: its micro-batches, the processes' examples, or
 * the halves of a single batch, or its parts if it is divided
 */
export async function differentiateStep(
  program: Program,
  values: Float32Array,
  batches: readonly MicroBatch[],
  seed: number,
  { stops = false, measuresNoise = false }: { stops?: boolean; measuresNoise?: boolean } = {},
): Promise<StepObjective> {
  const { communicator } = program;
  const of = ({ feeds, number }: MicroBatch, division?: Communicator) =>
    program.differentiate(values, feeds, seed, number, division);
  const isJoint = program.parts.model.joint !== undefined;
  const isSingle = batches.length === 1 && communicator.size === 1;
  const isSplit = batches.some((batch) => program.countParts(batch) > 1);
  if (isSingle && !isSplit && !measuresNoise && !(isJoint && batches[0]!.chunk))
    return { ...(await of(batches[0]!)), stops };
  const length = values.length + (program.parts.tuner.watches ?? 0);
  const sums = new Float32Array(length + SUMS);
  const gradient = sums.subarray(0, length);
  let loss = 0;
  let shares = 0;
  let regularizer: number | undefined;
  const noise = { squares: 0, perPart: 0, perStep: 0 };
  const leastParts = isSingle && measuresNoise ? 2 : 1;
  async function* each() {
    for (const batch of batches) {
      if (program.parts.tuner.watchesLast) gradient.fill(0, values.length);
      const count = Math.max(leastParts, program.countParts(batch));
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
    const { examples = 0 } = part as Partial<Objective>;
    if (measuresNoise && examples > 0) {
      noise.squares += share * globalNorm(part.gradient.subarray(0, values.length)) ** 2;
      noise.perPart += share / examples;
      noise.perStep += share ** 2 / examples;
    }
    regularizer = part.regularizer ?? regularizer;
  }
  const noiseOf = (parts: GradientParts) =>
    measuresNoise ? gradientNoise(parts, globalNorm(gradient.subarray(0, values.length)) ** 2) : undefined;
  if (communicator.size === 1) return { loss, regularizer, gradient, stops, noise: noiseOf(noise) };
  const others = [noise.squares, noise.perPart, noise.perStep];
  sums.set([loss, shares, shares * (regularizer ?? 0), Number(stops), ...others], length);
  communicator.allReduce(sums);
  const [meanLoss, allShares, meanRegularizer, stopping, squares, perPart, perStep] = sums.subarray(length);
  if (Math.abs(allShares! - 1) > SHARE_TOLERANCE)
    throw new Error(`the processes computed ${allShares} of the batch together, not all of it`);
  const { regularizer: term } = program.parts.tuner;
  return {
    loss: meanLoss!,
    regularizer: term && term.weight !== 0 ? meanRegularizer : undefined,
    gradient,
    stops: stopping! > 0,
    noise: noiseOf({ squares: squares!, perPart: perPart!, perStep: perStep! }),
  };
}
