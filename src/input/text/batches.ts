import { Random } from '../../support/random.ts';
import type { Encoding } from './encoding.ts';

/** Inputs of one step. The arrays are [batch, length], row-major. */
export interface Batch {
  inputIds: Int32Array;
  /** 0 for padding and 1 for a token. If several documents share a row, a token has its document's number instead. */
  attentionMask: Int32Array;
  tokenTypeIds: Int32Array;
  /** Set if positions do not count from 0. */
  positionIds?: Int32Array;
  /** The decoder's input in an encoder-decoder, [batch, length]. */
  decoder?: { inputIds: Int32Array; length: number };
  batch: number;
  length: number;
}

/**
 * Pads encodings at the end with `padId`, to the length of the longest. A batch has one column at least, because the
 * engine has no tensors of length 0: texts without tokens are padding.
 */
export function collate(encodings: readonly Encoding[], padId: number): Batch {
  const batch = encodings.length;
  const length = encodings.reduce((most, { inputIds }) => Math.max(most, inputIds.length), 1);
  const inputIds = new Int32Array(batch * length).fill(padId);
  const attentionMask = new Int32Array(batch * length);
  const tokenTypeIds = new Int32Array(batch * length);
  encodings.forEach((encoding, row) => {
    const start = row * length;
    inputIds.set(encoding.inputIds, start);
    attentionMask.fill(1, start, start + encoding.inputIds.length);
    tokenTypeIds.set(encoding.tokenTypeIds, start);
  });
  return { inputIds, attentionMask, tokenTypeIds, batch, length };
}

/** Rows of random tokens without padding. Equal streams give equal tokens. */
export function randomBatch(vocabSize: number, batch: number, length: number, stream: string): Batch {
  const random = new Random(0, stream);
  const size = batch * length;
  return {
    inputIds: Int32Array.from({ length: size }, () => random.integer(vocabSize)),
    attentionMask: new Int32Array(size).fill(1),
    tokenTypeIds: new Int32Array(size),
    batch,
    length,
  };
}

/** Number of batches that are sorted by length together: enough to find similar lengths, few enough to stay random. */
const BATCHES_SORTED_TOGETHER = 50;
/** Minimum number of sorted groups, so that even the batches of a small file differ between epochs. */
const MIN_GROUPS = 4;

/** The lengths by which examples are grouped. */
export interface ExampleLengths {
  /** Number of tokens of each example. */
  lengths: Int32Array;
  /** Lengths that are padded separately, such as those of a decoder's inputs. */
  targetLengths?: Int32Array;
}

/** The settings that determine the order of training examples. */
interface EpochPlan extends ExampleLengths {
  batchSize: number;
  seed: number;
  /** The epoch, counted from 0. */
  epoch: number;
  /** Whether a batch contains examples of similar length. */
  groupByLength: boolean;
}

/**
 * Returns the batches of an epoch as indices of examples. Each example occurs once, and the order depends only on
 * (seed, epoch). Grouping by length follows Hugging Face's `LengthGroupedSampler`: the shuffled examples are sorted
 * within groups of 50 batches and cut into batches, which are visited in random order. The last batch may be smaller
 * and has examples of any length.
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
  const shuffled = Array.from(random.permutation(batches.length), (at) => batches[at]!);
  return [...shuffled, ...cut(order.subarray(whole), batchSize)];
}

/**
 * Maximum number of tokens of a batch for evaluation, unless a single example has more. Larger batches are slower and
 * take more memory (bench/log/2026-12-01-long-texts.md).
 */
const MAX_TOKENS = 2048;

/**
 * Returns batches for evaluation, the longest examples first. So there is little padding.
 *
 * @param batchSize maximum number of examples of a batch
 */
export function planEvaluation(
  examples: ExampleLengths,
  batchSize: number,
  maxTokens = MAX_TOKENS,
): Int32Array[] {
  const order = Int32Array.from(examples.lengths.keys());
  sortAlike(order, examples, batchSize, -1);
  const { lengths } = examples;
  const batches: Int32Array[] = [];
  for (let start = 0; start < order.length; ) {
    let longest = 0;
    let end = start;
    for (; end < Math.min(order.length, start + batchSize); end++) {
      longest = Math.max(longest, lengths[order[end]!]!);
      if (end > start && (end + 1 - start) * longest > maxTokens) break;
    }
    batches.push(order.slice(start, end));
    start = end;
  }
  return batches;
}

/**
 * Sorts examples by length. With two lengths, the sorted examples are divided into runs of √n batches each, and each
 * run is sorted by target length. Then both lengths vary little within a batch.
 */
function sortAlike(
  order: Int32Array,
  { lengths, targetLengths }: ExampleLengths,
  batchSize: number,
  sign: 1 | -1,
): void {
  order.sort((a, b) => sign * (lengths[a]! - lengths[b]!));
  if (!targetLengths) return;
  const run = batchSize * Math.ceil(Math.sqrt(order.length / batchSize));
  for (let start = 0; start < order.length; start += run) {
    order.subarray(start, start + run).sort((a, b) => sign * (targetLengths[a]! - targetLengths[b]!));
  }
}

function cut(order: Int32Array, batchSize: number): Int32Array[] {
  const batches: Int32Array[] = [];
  for (let start = 0; start < order.length; start += batchSize) {
    batches.push(order.slice(start, start + batchSize));
  }
  return batches;
}

/** Number of tokens in a batch, including padding. It determines the batch's time and memory. */
export function paddedTokens(examples: Int32Array, lengths: Int32Array): number {
  return examples.length * examples.reduce((longest, example) => Math.max(longest, lengths[example]!), 0);
}
