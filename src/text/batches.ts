import { Random } from '../support/random.ts';

/** Batches among which examples are sorted by length: long enough to find like lengths, short enough to stay random. */
const BATCHES_SORTED_TOGETHER = 50;
/** A small file is still sorted in this many groups, so that batches differ from epoch to epoch. */
const MIN_GROUPS = 4;

/** By what examples are alike. */
export interface ExampleLengths {
  /** Tokens of each example. */
  lengths: Int32Array;
  /** Those of them that are padded by themselves, as a decoder's beside an encoder's. */
  targetLengths?: Int32Array;
}

/** What decides the order of training. */
export interface EpochPlan extends ExampleLengths {
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
export function planEpoch(plan: EpochPlan): Int32Array[] {
  const { lengths, batchSize, seed, epoch, groupByLength } = plan;
  const random = new Random(seed, 'order', epoch);
  const order = random.permutation(lengths.length);
  if (!groupByLength) return cut(order, batchSize);

  const whole = order.length - (order.length % batchSize);
  const groupBatches = Math.floor(lengths.length / (batchSize * MIN_GROUPS));
  const groupSize = batchSize * Math.max(1, Math.min(BATCHES_SORTED_TOGETHER, groupBatches));
  for (let start = 0; start < whole; start += groupSize) {
    sortAlike(order.subarray(start, Math.min(start + groupSize, whole)), plan, batchSize, 1);
  }
  const batches = cut(order.subarray(0, whole), batchSize);
  const shuffled = Array.from(random.permutation(batches.length), (at) => batches[at]);
  return [...shuffled, ...cut(order.subarray(whole), batchSize)];
}

/** Batches for evaluation, longest examples first: least padding, and the peak of memory comes at once. */
export function planEvaluation(examples: ExampleLengths, batchSize: number): Int32Array[] {
  const order = Int32Array.from(examples.lengths.keys());
  sortAlike(order, examples, batchSize, -1);
  return cut(order, batchSize);
}

/**
 * Sorts examples by length. Where there are two, runs of batches that are alike in the whole are sorted by that of the
 * target: as many runs as batches in each, so that both lengths vary as little in a batch.
 */
function sortAlike(
  order: Int32Array,
  { lengths, targetLengths }: ExampleLengths,
  batchSize: number,
  sign: 1 | -1,
): void {
  order.sort((a, b) => sign * (lengths[a] - lengths[b]));
  if (!targetLengths) return;
  const run = batchSize * Math.ceil(Math.sqrt(order.length / batchSize));
  for (let start = 0; start < order.length; start += run) {
    order.subarray(start, start + run).sort((a, b) => sign * (targetLengths[a] - targetLengths[b]));
  }
}

function cut(order: Int32Array, batchSize: number): Int32Array[] {
  const batches: Int32Array[] = [];
  for (let start = 0; start < order.length; start += batchSize) {
    batches.push(order.slice(start, start + batchSize));
  }
  return batches;
}
