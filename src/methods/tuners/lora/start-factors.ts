import { BASE_BLOCK, fourBitValues } from '../../../input/formats/quantize.ts';
import type { LinearModule } from '../../../models/nn/network.ts';
import { Random } from '../../../support/random.ts';
import type { LowRankModule } from '../low-rank/factors.ts';
import { dot64, orthonormalize, principalDirections } from '../low-rank/orthonormal.ts';
import { type SingularTriplet, topSingular, WeightMatrix } from './top-singular.ts';

/** Initializations from the weight. The initial increment is subtracted from the weight. */
export type WeightStart = 'pissa' | `pissa_niter_${number}`;

/**
 * The start from the weight that PEFT's `init_lora_weights` selects. Undefined for a start that does not change the
 * weight.
 */
export function weightStart(init: unknown): WeightStart | undefined {
  const isOne = typeof init === 'string' && /^(pissa|pissa_niter_[1-9]\d?)$/.test(init);
  return isOne ? (init as WeightStart) : undefined;
}

/**
 * Computes the initial factors A [rank, in] and B [out, rank]. `pissa`: the principal part of the weight (Meng et
 * al., 2024, arXiv 2404.02948). `pissa_niter_N`: an approximation by N power iterations.
 *
 * @param weight as the checkpoint stores it
 */
export function startFactors(
  init: WeightStart,
  module: LowRankModule,
  weight: Float32Array,
  seed: number,
): { a: Float32Array; b: Float32Array } {
  const matrix = new WeightMatrix(module, weight);
  const { rank, scale } = module;
  const triplets =
    init === 'pissa'
      ? topSingular(matrix, rank)
      : approximate(
          matrix,
          rank,
          Number(init.slice('pissa_niter_'.length)),
          new Random(seed, `init ${module.path}`),
        );
  // The increment is multiplied by the scale, so the factors are divided by it.
  return packedFactors(
    module,
    triplets.map((triplet) => ({ ...triplet, strength: triplet.strength / scale })),
  );
}

/** Packs singular triplets into A and B. Each factor gets the square root of the singular values. */
function packedFactors(
  { rank, inFeatures, outFeatures }: LowRankModule,
  triplets: readonly SingularTriplet[],
): { a: Float32Array; b: Float32Array } {
  const a = new Float32Array(rank * inFeatures);
  const b = new Float32Array(outFeatures * rank);
  triplets.forEach(({ u, v, strength }, k) => {
    const root = Math.sqrt(strength);
    for (let i = 0; i < inFeatures; i++) a[k * inFeatures + i] = root * v[i]!;
    for (let i = 0; i < outFeatures; i++) b[i * rank + k] = root * u[i]!;
  });
  return { a, b };
}

/** Randomized singular triplets with power iterations, as in `torch.svd_lowrank` (Halko et al., 2011). */
function approximate(
  matrix: WeightMatrix,
  count: number,
  iterations: number,
  random: Random,
): SingularTriplet[] {
  const start = Array.from({ length: count }, () => Float64Array.from(random.normals(matrix.columns, 1)));
  let us = orthonormalize(start.map((v) => matrix.times(v)));
  for (let i = 0; i < iterations; i++) {
    const vs = orthonormalize(us.map((u) => matrix.turnedTimes(u)));
    us = orthonormalize(vs.map((v) => matrix.times(v)));
  }
  const rows = us.map((u) => matrix.turnedTimes(u));
  return principalDirections(rows.map((row) => row.slice())).map(({ strength, direction }) => {
    const u = new Float64Array(matrix.rows);
    rows.forEach((row, j) => {
      const share = dot64(row, direction) / strength;
      for (let i = 0; i < u.length; i++) u[i]! += share * us[j]![i]!;
    });
    return { strength, u, v: direction };
  });
}

/**
 * Computes the initial factors of LoftQ (Li et al., ICLR 2024, arXiv 2310.08659, algorithm 1): the best increment to
 * the rounded weight, s B A ≈ W - Q. Q is adalora's int4 form, not NF4. There is one round, PEFT's default. Another
 * round would change Q, and the adapter would need its own base model. PEFT does not divide by the scale s.
 *
 * @param weight as the checkpoint stores it
 */
export function loftqFactors(
  module: LowRankModule,
  weight: Float32Array,
): { a: Float32Array; b: Float32Array } {
  const residual = roundingError(weight);
  const triplets = topSingular(new WeightMatrix(module, residual), module.rank);
  return packedFactors(
    module,
    triplets.map((triplet) => ({ ...triplet, strength: triplet.strength / module.scale })),
  );
}

/** Whether an int4 base stores the weight of a module in 4 bits. */
export function isInt4({ inFeatures, transposed }: LinearModule): boolean {
  return !transposed && inFeatures % BASE_BLOCK === 0;
}

/** W - Q. */
function roundingError(weight: Float32Array): Float32Array {
  const rounded = fourBitValues(weight);
  return weight.map((value, i) => value - rounded[i]!);
}
