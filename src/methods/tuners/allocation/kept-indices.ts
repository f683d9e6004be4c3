import { type Factor, factorOf, type LowRankModule } from '../low-rank/factors.ts';
import type { ParameterLayout } from '../parameter-layout.ts';

/**
 * Returns, for each element of the layout `after`, its index in the layout `before`, when dropped triplets are removed.
 * Gathering values and optimizer moments by these indices moves them to the new layout.
 *
 * @param modules the modules with their ranks before
 * @param keep for each module, 1 for every kept triplet
 */
export function keptIndices(
  modules: readonly LowRankModule[],
  keep: readonly Uint8Array[],
  before: ParameterLayout,
  after: ParameterLayout,
): Int32Array {
  const sources = keep.map((flags) => [...flags.keys()].filter((i) => flags[i] === 1));
  return movedIndices(modules, sources, before, after);
}

/**
 * Returns, for each element of the layout `after`, its index in the layout `before`; -1 for elements of new triplets.
 *
 * @param modules the modules with their ranks before
 * @param sources for each module, the old index of every triplet in `after`; -1 for a new triplet
 */
export function movedIndices(
  modules: readonly LowRankModule[],
  sources: readonly (readonly number[])[],
  before: ParameterLayout,
  after: ParameterLayout,
): Int32Array {
  const indices = new Int32Array(after.length);
  const triplets = new Map(modules.map(({ path }, k) => [path, sources[k]]));
  for (const { name, start, end, shape } of after.segments) {
    const source = before.get(name);
    const own = factorOf(name);
    // A magnitude belongs to a module, not to a single triplet.
    const from = own && own.factor !== 'M' ? triplets.get(own.path) : undefined;
    const expected = from && own ? sizeOf(own.factor, source.shape, from.length) : source.end - source.start;
    if (end - start !== expected)
      throw new Error(`${name}: ${expected} values kept, ${end - start} expected`);
    for (let i = 0; i < end - start; i++)
      indices[start + i] = own && from ? movedFrom(i, own.factor, shape, source, from) : source.start + i;
  }
  return indices;
}

function sizeOf(factor: Factor, shape: readonly number[], rank: number): number {
  return factor === 'E' ? rank : rank * (factor === 'A' ? shape[1]! : shape[0]!);
}

/** The old index of element `i` of a factor. Triplets are rows of A, elements of E and columns of B. */
function movedFrom(
  i: number,
  factor: Factor,
  shape: readonly number[],
  source: { start: number; shape: readonly number[] },
  from: readonly number[],
): number {
  const width = factor === 'E' ? 1 : shape[1]!;
  const [row, column] = [Math.floor(i / width), i % width];
  const triplet = from[factor === 'B' ? column : row]!;
  if (triplet < 0) return -1;
  if (factor === 'B') return source.start + row * source.shape[1]! + triplet;
  return source.start + triplet * width + column;
}

/** The number of kept triplets in a module. `keep` has 1 for each of them. */
export function keptCount(keep: Uint8Array): number {
  return keep.reduce((sum, kept) => sum + kept, 0);
}
