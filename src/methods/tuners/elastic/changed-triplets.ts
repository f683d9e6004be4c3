import { movedIndices } from '../allocation/kept-indices.ts';
import { factorName } from '../low-rank/factors.ts';
import type { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import type { Relayout } from '../method-run.ts';

/** The factors of a new triplet. */
export interface NewTriplet {
  a: ArrayLike<number>;
  b: ArrayLike<number>;
  lambda: number;
}

/** The change of one module: the old indices of the triplets to keep, then the new triplets. */
export interface ModuleChange {
  kept: readonly number[];
  added: readonly NewTriplet[];
}

/** Moves the trained vector from the triplets of `before` to those of `tuner`. */
export function changedTriplets(
  before: LowRankTuner,
  tuner: LowRankTuner,
  changes: readonly ModuleChange[],
): Relayout {
  const sources = changes.map(({ kept, added }) => [...kept, ...added.map(() => -1)]);
  const indices = movedIndices(before.modules, sources, before.layout, tuner.layout);
  return { tuner, indices, begin: (moved) => plant(tuner, moved, changes) };
}

/** Writes the factors of new triplets. */
function plant(
  { layout, modules }: LowRankTuner,
  values: Float32Array,
  changes: readonly ModuleChange[],
): void {
  modules.forEach(({ path, rank, inFeatures, outFeatures }, k) => {
    const { kept, added } = changes[k]!;
    const [a, e, b] = (['A', 'E', 'B'] as const).map((factor) =>
      layout.read(values, factorName(path, factor)),
    ) as [Float32Array, Float32Array, Float32Array];
    added.forEach((triplet, i) => {
      const at = kept.length + i;
      a.set(triplet.a, at * inFeatures);
      e[at] = triplet.lambda;
      for (let row = 0; row < outFeatures; row++) b[row * rank + at] = triplet.b[row]!;
    });
  });
}
