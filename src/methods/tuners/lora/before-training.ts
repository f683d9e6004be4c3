import { Random } from '../../../support/random.ts';
import { UserError } from '../../../support/user-error.ts';
import { allocate } from '../allocation/allocate.ts';
import { keptCount } from '../allocation/pruned-module.ts';
import { factorsIn, type LowRankModule, matrixRows, selectColumns, setColumn } from '../low-rank/factors.ts';
import { orthonormalise, principalDirections } from '../low-rank/orthonormal.ts';
import type { Measuring } from '../measured/measured-lora.ts';
import type { GradientAt } from '../method-run.ts';
import type { LoraConfig } from './config.ts';
import { LoraTuner } from './lora-tuner.ts';

/** The maximum rank of a module, as a multiple of the mean. */
const LARGEST_OVER_MEAN = 2;

/**
 * LoRA with ranks chosen before the first step (`allocation: before-training`), by how much each direction could lower
 * the loss.
 *
 * G is the gradient of the loss with respect to a module's weight, over some batches, and σ_1 ≥ σ_2 ≥ … are its
 * singular values. An increment λ p qᵀ with |p| = |q| = 1 changes the loss by -λ σ_i at best, if p and q are the i-th
 * singular vectors. So σ_i is the sensitivity of AdaLoRA's best i-th triplet before training. The n r largest σ of all
 * n modules are kept. A module's rank is the number of its kept σ, from 0 to 2 r. Alphas are set so that all modules
 * keep the scale of `r`.
 *
 * No paper describes this allocation; GoRA and EVA are separate methods (`gora`, `eva`). G is never computed: LoRA's
 * own gradients project it onto 2 r directions, ∂C/∂B = G Aᵀ and ∂C/∂A = Bᵀ G. A random A gives a basis B of the range
 * of G, and B then gives the σ (Halko, Martinsson and Tropp, 2011, algorithms 4.1 and 5.1).
 */
export function measureGradients(even: LoraTuner, { r, allocation_batches: steps }: LoraConfig): Measuring {
  const probe = new LoraTuner({ lora_dropout: 0 }, even.modules.map(probed(r)), even.saved);
  return {
    tuner: probe,
    steps,
    measures: `the gradients of ${steps} steps' batches, read twice,`,
    async measure(seed, initial, gradientAt) {
      const scores = await measureStrengths(probe, seed, initial, gradientAt);
      const { keep, threshold } = allocate(scores, r * probe.modules.length);
      return { ranks: keep.map(keptCount), scores, threshold };
    },
  };
}

/** The singular values of the modules' gradients, within the probe's directions. */
async function measureStrengths(
  probe: LoraTuner,
  seed: number,
  initial: Float32Array,
  gradientAt: GradientAt,
): Promise<Float64Array[]> {
  const { modules, layout } = probe;
  const values = initial.slice();
  for (const { path } of modules) {
    const { A, B } = factorsIn(layout, values, path);
    A.set(new Random(seed, `survey ${path}`).normals(A.length, 1));
    B.fill(0);
  }
  const reached = await gradientAt(values);
  for (const { path, rank } of modules) {
    const { A, B } = factorsIn(layout, values, path);
    A.fill(0);
    const basis = orthonormalise(selectColumns(factorsIn(layout, reached, path).B, rank));
    basis.forEach((column, i) => setColumn(B, rank, i, column));
  }
  const seen = await gradientAt(values);
  const strengths = modules.map(({ path, rank }) =>
    Float64Array.from(
      principalDirections(matrixRows(factorsIn(layout, seen, path).A, rank)),
      ({ strength }) => strength,
    ),
  );
  if (strengths.every((module) => module.every((strength) => !(strength > 0))))
    throw new UserError({
      where: 'lora.allocation: before-training',
      fault: 'found a gradient that is zero everywhere',
      hint: 'Set allocation: even.',
    });
  return strengths;
}

/** Sets a module's rank to the largest that it may get, to project its gradient. */
function probed(r: number): (module: LowRankModule) => LowRankModule {
  return (module) => ({
    ...module,
    rank: Math.min(LARGEST_OVER_MEAN * r, module.inFeatures, module.outFeatures),
    scale: 1,
  });
}
