import { Random } from '../../../src/support/random.ts';

/**
 * Number of examples that are sorted by length together. It is large enough for similar lengths, and small
 * enough to keep the order random.
 */
const SORTED_TOGETHER = 4096;

/**
 * The batches of an epoch, which contain every example once. The examples of a batch have similar lengths,
 * and about `tokens` tokens including padding. The order depends only on (seed, epoch).
 */
export function batchPlan(lengths: Int32Array, tokens: number, seed: number, epoch: number): Int32Array[] {
  const random = new Random(seed, 'order', epoch);
  const order = random.permutation(lengths.length);
  const batches: Int32Array[] = [];
  for (let start = 0; start < order.length; start += SORTED_TOGETHER) {
    const group = order.subarray(start, start + SORTED_TOGETHER).sort((a, b) => lengths[b]! - lengths[a]!);
    for (let at = 0; at < group.length; ) {
      const size = Math.max(1, Math.floor(tokens / lengths[group[at]!]!));
      batches.push(group.slice(at, at + size));
      at += size;
    }
  }
  return Array.from(random.permutation(batches.length), (at) => batches[at]!);
}
