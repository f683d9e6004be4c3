import { factorName } from '../low-rank/factors.ts';
import type { LowRankTuner } from '../low-rank/low-rank-tuner.ts';

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
export function spanOf(modules: readonly PrunedModule[]): [number, number] {
  const starts = modules.flatMap(({ offsets: { A, E, B } }) => [A, E ?? A, B]);
  const ends = modules.flatMap(({ rank, inFeatures, outFeatures, offsets: { A, E, B } }) => [
    A + rank * inFeatures,
    E === undefined ? 0 : E + rank,
    B + outFeatures * rank,
  ]);
  return [Math.min(...starts), Math.max(...ends)];
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
