import { largest, smallest } from '../../../support/numbers.ts';
import { type Factor, factorName, type LowRankModule, parseFactor } from '../low-rank/factors.ts';
import type { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
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
    const own = parseFactor(name);
    // A magnitude belongs to a module, not to a single triplet.
    const from = own && own.factor !== 'M' ? triplets.get(own.path) : undefined;
    const expected =
      from && own ? countValues(own.factor, source.shape, from.length) : source.end - source.start;
    if (end - start !== expected)
      throw new Error(`${name}: ${expected} values kept, ${end - start} expected`);
    for (let i = 0; i < end - start; i++)
      indices[start + i] = own && from ? movedFrom(i, own.factor, shape, source, from) : source.start + i;
  }
  return indices;
}

function countValues(factor: Factor, shape: readonly number[], rank: number): number {
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

/**
 * An adapted matrix: its components and their positions in the flat vector of trained values. With λ, a component is a
 * triplet (row of A, λ, column of B). Without λ, it is a doublet (row of A, column of B).
 */
export interface PrunedModule {
  /** Hugging Face's path of the adapted linear layer. */
  name: string;
  /** Number of components: the initial rank. */
  rank: number;
  inFeatures: number;
  outFeatures: number;
  /** Start of each tensor, row-major: A (Q) `[rank, in]`, E (λ, for triplets) `[rank]`, B (P) `[out, rank]`. */
  offsets: { A: number; E?: number; B: number };
}

/** The modules of a tuner, in order. */
export function prunedModules({ modules, layout }: Pick<LowRankTuner, 'modules' | 'layout'>): PrunedModule[] {
  return modules.map(({ path, rank, inFeatures, outFeatures }) => ({
    name: path,
    rank,
    inFeatures,
    outFeatures,
    offsets: {
      A: layout.get(factorName(path, 'A')).start,
      E: layout.find(factorName(path, 'E'))?.start,
      B: layout.get(factorName(path, 'B')).start,
    },
  }));
}

/** The range [start, end) of the flat vector with all tensors of the modules. */
export function findSpan(modules: readonly PrunedModule[]): [number, number] {
  const starts = modules.flatMap(({ offsets: { A, E, B } }) => [A, E ?? A, B]);
  const ends = modules.flatMap(({ rank, inFeatures, outFeatures, offsets: { A, E, B } }) => [
    A + rank * inFeatures,
    E === undefined ? 0 : E + rank,
    B + outFeatures * rank,
  ]);
  return [smallest(starts), largest(ends)];
}

/** The same module in a vector with `by` more elements at the start. */
export function shifted(module: PrunedModule, by: number): PrunedModule {
  const { A, E, B } = module.offsets;
  return { ...module, offsets: { A: A + by, E: E === undefined ? E : E + by, B: B + by } };
}

/** Zeroes a component so that it adds nothing: λ of a triplet, or both halves of a doublet. */
export function dropComponent(
  { rank, inFeatures, outFeatures, offsets: { A, E, B } }: PrunedModule,
  component: number,
  values: Float32Array,
): void {
  if (E !== undefined) {
    values[E + component] = 0;
    return;
  }
  values.fill(0, A + component * inFeatures, A + (component + 1) * inFeatures);
  for (let j = 0; j < outFeatures; j++) values[B + j * rank + component] = 0;
}
