import { BASE_BLOCK, fourBitValues } from '../../formats/quantize-blocks.ts';
import type { LinearModule } from '../../nn/network.ts';
import type { LowRankModule } from '../low-rank/factors.ts';
import { packedFactors } from './start-factors.ts';
import { topSingular } from './top-singular.ts';
import { WeightMatrix } from './weight-matrix.ts';

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
