import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { Random } from '../../../support/random.ts';
import { UserError } from '../../../support/user-error.ts';
import { allocate } from '../allocation/allocate.ts';
import { keptCount } from '../allocation/kept-indices.ts';
import { columnsOf, factorName, type LowRankModule, rowsOf } from '../low-rank/factors.ts';
import { orthonormalise } from '../low-rank/orthonormal.ts';
import { principalDirections } from '../low-rank/principal-directions.ts';
import { MeasuredRun } from '../measured/measured-run.ts';
import type { GradientAt } from '../method-run.ts';
import type { LoraConfig } from './config.ts';
import { LoraTuner } from './lora-tuner.ts';
import { rankKeys } from './store-ranked.ts';
import { isRankStabilised } from './weight-matrix.ts';

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
export class RankedRun extends MeasuredRun {
  constructor(
    even: LoraTuner,
    config: LoraConfig,
    store: (tuner: LoraTuner, values: Float32Array, baseModel: string) => StoredAdapter,
  ) {
    const { r, allocation_batches: steps } = config;
    const probe = new LoraTuner({ lora_dropout: 0 }, even.modules.map(probed(r)), even.saved);
    super({
      even,
      measurement: { tuner: probe, steps, measures: `the gradients of ${steps} steps' batches, read twice,` },
      measure: async (seed, initial, gradientAt) => {
        const scores = await strengthsOf(probe, seed, initial, gradientAt);
        const { keep, threshold } = allocate(scores, r * probe.modules.length);
        return { ranks: keep.map(keptCount), scores, threshold };
      },
      keys: (modules) => ({
        // Full paths, because the config's own targets may be suffixes or a pattern.
        target_modules: modules.flatMap(({ path, rank }) => (rank > 0 ? [path] : [])),
        ...rankKeys(modules, { ...config, use_rslora: isRankStabilised(config) }),
      }),
      store,
    });
  }
}

/** The singular values of the modules' gradients, within the probe's directions. */
async function strengthsOf(
  probe: LoraTuner,
  seed: number,
  initial: Float32Array,
  gradientAt: GradientAt,
): Promise<Float64Array[]> {
  const values = initial.slice();
  fillFactors(probe, values, ({ path, rank, inFeatures }) => {
    const random = new Random(seed, `survey ${path}`);
    return { A: random.normals(rank * inFeatures, 1), B: undefined };
  });
  const reached = await gradientAt(values);
  const bases = probe.modules.map(({ path, rank, outFeatures }) =>
    orthonormalise(columnsOf(reached, probe.layout.get(factorName(path, 'B')).start, rank, outFeatures)),
  );
  fillFactors(probe, values, ({ rank, outFeatures }, k) => {
    const b = new Float32Array(outFeatures * rank);
    bases[k]!.forEach((column, i) => {
      for (let j = 0; j < outFeatures; j++) b[j * rank + i] = column[j]!;
    });
    return { A: undefined, B: b };
  });
  const seen = await gradientAt(values);
  const strengths = probe.modules.map(({ path, rank, inFeatures }) =>
    Float64Array.from(
      principalDirections(rowsOf(seen, probe.layout.get(factorName(path, 'A')).start, rank, inFeatures)),
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

/** Sets the factors of all modules. Missing factors become zero. */
function fillFactors(
  { modules, layout }: LoraTuner,
  values: Float32Array,
  factors: (module: LowRankModule, k: number) => { A?: Float32Array; B?: Float32Array },
): void {
  modules.forEach((module, k) => {
    const ofModule = factors(module, k);
    for (const factor of ['A', 'B'] as const) {
      const tensor = layout.read(values, factorName(module.path, factor));
      const source = ofModule[factor];
      if (source) tensor.set(source);
      else tensor.fill(0);
    }
  });
}
