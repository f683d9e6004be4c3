import { type Factor, factorOf, type LowRankModule } from '../low-rank/factors.ts';
import type { ParameterLayout } from '../parameter-layout.ts';

/**
 * Maps each element of the vector with layout `after` to its index in layout `before`, when dropped triplets are
 * removed. Gathering values and optimizer moments by these indices moves them to the new layout.
 *
 * @param modules the modules with their ranks before
 * @param keep per module, 1 for each kept triplet
 */
export function keptIndices(
  modules: readonly LowRankModule[],
  keep: readonly Uint8Array[],
  before: ParameterLayout,
  after: ParameterLayout,
): Int32Array {
  const indices = new Int32Array(after.length);
  const triplets = new Map(modules.map(({ path }, k) => [path, keep[k]]));
  for (const { name, start, end } of after.segments) {
    const source = before.get(name);
    const own = factorOf(name);
    const kept = own && triplets.get(own.path);
    let next = start;
    for (let i = source.start; i < source.end; i++) {
      if (!own || !kept || kept[tripletOf(i - source.start, own.factor, source.shape)]) indices[next++] = i;
    }
    if (next !== end) throw new Error(`${name}: ${next - start} values kept, ${end - start} expected`);
  }
  return indices;
}

/** The triplet that an element of a factor belongs to: a row of A, an element of E, a column of B. */
function tripletOf(index: number, factor: Factor, shape: readonly number[]): number {
  if (factor === 'A') return Math.floor(index / shape[1]);
  return factor === 'B' ? index % shape[1] : index;
}
