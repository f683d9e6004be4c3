import { Random } from '../support/random.ts';

/** Batches among which examples are sorted by length: long enough to find like lengths, short enough to stay random. */
const BATCHES_SORTED_TOGETHER = 50;
/** A small file is still sorted in this many groups, so that batches differ from epoch to epoch. */
const MIN_GROUPS = 4;

/** What decides the order of training. */
export interface EpochPlan {
  /** Tokens of each example. */
  lengths: Int32Array;
  batchSize: number;
  seed: number;
  /** From 0. */
  epoch: number;
  /** Whether batches are made of examples of like length. */
  groupByLength: boolean;
}

/**
 * The batches of an epoch as indices of examples: every example once, in an order that (seed, epoch) alone decide. By
 * length as in Hugging Face's `LengthGroupedSampler`: the shuffled examples are sorted within groups of 50 batches,
 * cut, and the batches visited in random order. A last, smaller batch takes examples of any length.
 */
export function planEpoch({ lengths, batchSize, seed, epoch, groupByLength }: EpochPlan): Int32Array[] {
  const random = new Random(seed, 'order', epoch);
  const order = random.permutation(lengths.length);
  if (!groupByLength) return cut(order, batchSize);

  const whole = order.length - (order.length % batchSize);
  const groupBatches = Math.floor(lengths.length / (batchSize * MIN_GROUPS));
  const groupSize = batchSize * Math.max(1, Math.min(BATCHES_SORTED_TOGETHER, groupBatches));
  for (let start = 0; start < whole; start += groupSize) {
    order.subarray(start, Math.min(start + groupSize, whole)).sort((a, b) => lengths[a] - lengths[b]);
  }
  const batches = cut(order.subarray(0, whole), batchSize);
  const shuffled = Array.from(random.permutation(batches.length), (at) => batches[at]);
  return [...shuffled, ...cut(order.subarray(whole), batchSize)];
}

/** Batches for evaluation, longest examples first: least padding, and the peak of memory comes at once. */
export function planEvaluation(lengths: Int32Array, batchSize: number): Int32Array[] {
  const order = Int32Array.from(lengths.keys()).sort((a, b) => lengths[b] - lengths[a]);
  return cut(order, batchSize);
}

function cut(order: Int32Array, batchSize: number): Int32Array[] {
  const batches: Int32Array[] = [];
  for (let start = 0; start < order.length; start += batchSize) {
    batches.push(order.slice(start, start + batchSize));
  }
  return batches;
}
