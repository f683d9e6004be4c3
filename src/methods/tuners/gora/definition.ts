import { UserError } from '../../../support/user-error.ts';
import type { LoraTuner } from '../lora/lora-tuner.ts';
import { inverseGram } from '../lora/lorafa.ts';
import { factorName } from '../low-rank/factors.ts';
import { withVariants } from '../low-rank/scales.ts';
import { measuredLora } from '../measured/measured-lora.ts';
import type { Measured } from '../measured/measured-run.ts';
import { WeightGradientTuner } from '../measured/weight-gradient-tuner.ts';
import type { GradientAt } from '../method-run.ts';
import { type GoraConfig, goraConfigSchema, goraRanks, weightImportance } from './gora-ranks.ts';

/** The words for importance that is not the paper's. */
const IMPORTANCE: Partial<Record<GoraConfig['importance'], string>> = {
  frobenius: 'importance ‖W ∘ G‖',
  rows: 'importance of rows of W ∘ G',
  'gradient-mean': 'importance mean |G|',
  'gradient-frobenius': 'importance ‖G‖',
};

/** GoRA (He et al., NeurIPS 2025, arXiv 2502.12171): the gradient of the weights gives LoRA's ranks and initial B. */
export const gora = measuredLora<GoraConfig, typeof goraConfigSchema>({
  config: goraConfigSchema,
  learningRate: 5e-4,
  chosen: { encoder: { rate: 1e-3, lora_alpha: 16 }, language: { rate: 2e-4, lora_alpha: 16 } },
  words: {
    title: 'GoRA',
    titleWith: (settings) =>
      withVariants('GoRA', [
        IMPORTANCE[settings.importance as GoraConfig['importance']] ?? [],
        settings.root_importance === true ? 'root of importance' : [],
        settings.softmax_temperature === undefined ? [] : `softmax of ${settings.softmax_temperature}`,
        settings.features === 'sum' ? 'budget of parameters' : [],
        settings.features === 'log' ? 'budget of logarithms' : [],
        settings.rounding === 'down' ? 'ranks rounded down' : [],
        settings.direction === 'ascent' ? 'along the gradient' : [],
        settings.gamma === 0 ? 'B₀ = 0' : [],
        settings.use_rslora === false ? 'alpha / r' : [],
      ]),
    tags: ['peft', 'lora', 'gora'],
  },
  alpha: ({ lora_alpha }) => lora_alpha,
  method(even, config) {
    const tuner = new WeightGradientTuner(even.modules, even.saved);
    const { gradient_batches: steps } = config;
    return {
      measurement: { tuner, steps, measures: `the gradients of ${steps} steps' batches` },
      measure: (seed, initial, gradientAt) => measure(even, tuner, config, { seed, initial, gradientAt }),
    };
  },
});

async function measure(
  even: LoraTuner,
  tuner: WeightGradientTuner,
  config: GoraConfig,
  { seed, initial, gradientAt }: { seed: number; initial: Float32Array; gradientAt: GradientAt },
): Promise<Measured> {
  const gradient = await gradientAt(initial);
  const { modules } = even;
  const gradients = modules.map(({ path }) => tuner.gradientOf(path, gradient));
  const importance = modules.map((module, k) =>
    weightImportance(tuner.weight(module), gradients[k]!, config.importance, module.outFeatures),
  );
  if (!importance.some((value) => value > 0))
    throw new UserError({
      where: 'gora',
      fault: 'found a gradient that is zero everywhere',
      hint: 'Train with method: lora.',
    });
  const ranks = goraRanks(modules, importance, config);
  const ranked = even.withModules(modules.map((module, k) => ({ ...module, rank: ranks[k]! })));
  // Computes the initial A of the run. The values of the head have no effect here.
  const values = ranked.initialValues(seed, (_, shape) => new Float32Array(shape.reduce((a, b) => a * b, 1)));
  const { gamma, lora_alpha, direction } = config;
  return {
    ranks,
    scores: importance.map((value) => [value]),
    factors: modules.map(({ path, inFeatures }, k) => {
      const a = ranked.layout.read(values, factorName(path, 'A'));
      const factor = ((direction === 'descent' ? -gamma : gamma) * Math.sqrt(inFeatures)) / lora_alpha;
      return { A: a, B: goraStart(a, gradients[k]!, ranks[k]!, factor) };
    }),
  };
}

/**
 * The initial B [out, rank] of GoRA for a given A [rank, in]. The B for which B A is nearest to the gradient G [out,
 * in] is G Aᵀ (A Aᵀ)⁻¹. The result is that B times ξ = γ √in / α. With the scale α / √r, the increment is a step of γ
 * √(in / r) along G.
 *
 * @param factor ξ, negative for a step against the gradient
 */
export function goraStart(
  a: Float32Array,
  gradient: Float32Array,
  rank: number,
  factor: number,
): Float32Array {
  const width = a.length / rank;
  const height = gradient.length / width;
  const inverse = inverseGram(a, rank);
  const b = new Float32Array(height * rank);
  const row = new Float64Array(rank);
  for (let i = 0; i < height; i++) {
    row.fill(0);
    for (let k = 0; k < rank; k++)
      for (let j = 0; j < width; j++) row[k]! += gradient[i * width + j]! * a[k * width + j]!;
    for (let k = 0; k < rank; k++) {
      let sum = 0;
      for (let l = 0; l < rank; l++) sum += row[l]! * inverse[l * rank + k]!;
      b[i * rank + k] = factor * sum;
    }
  }
  return b;
}
