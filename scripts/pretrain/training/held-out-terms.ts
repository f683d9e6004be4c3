import type { Batches } from './batches.ts';
import type { Student } from './student.ts';

const BATCH_TOKENS = 4096;

/**
 * The terms of the loss on held-out texts: means over batches of equal size. The masks are the same in every
 * call.
 */
export async function heldOutTerms(
  student: Student,
  values: Float32Array,
  batches: Batches,
  lengths: Int32Array,
): Promise<Record<string, number>> {
  const order = Int32Array.from(lengths.keys()).sort((a, b) => lengths[b]! - lengths[a]!);
  const sums: Record<string, number> = {};
  let total = 0;
  for (let at = 0, number = 0; at < order.length; number++) {
    const size = Math.max(1, Math.floor(BATCH_TOKENS / lengths[order[at]!]!));
    const { feeds, tokens } = await batches.feeds(order.slice(at, at + size), 0, number);
    const terms = await student.terms(values, feeds);
    for (const [name, value] of Object.entries(terms)) sums[name] = (sums[name] ?? 0) + tokens * value;
    total += tokens;
    at += size;
  }
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / total]));
}
