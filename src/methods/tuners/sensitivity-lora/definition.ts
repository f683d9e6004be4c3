import { UserError } from '../../../support/user-error.ts';
import type { LowRankModule } from '../low-rank/factors.ts';
import { withVariants } from '../low-rank/scales.ts';
import { measuredLora } from '../measured/measured-lora.ts';
import type { InputsOf } from '../method-run.ts';
import {
  type MeasuredModule,
  progressiveRanks,
  proportionalRanks,
  type SensitivityLoraConfig,
  sensitivities,
  sensitivityLoraConfigSchema,
} from './sensitivity-ranks.ts';

/** Sensitivity-LoRA (Zhang et al., 2025, arXiv 2509.09119): the diagonal of each weight's Hessian gives LoRA's ranks. */
export const sensitivityLora = measuredLora<SensitivityLoraConfig, typeof sensitivityLoraConfigSchema>({
  config: sensitivityLoraConfigSchema,
  learningRate: 5e-4,
  chosen: { encoder: { rate: 3e-3, lora_alpha: 32 }, language: { rate: 2e-4, lora_alpha: 16 } },
  words: {
    title: 'Sensitivity-LoRA',
    titleWith: ({ sensitivity, weights, rank_allocation, use_rslora }) =>
      withVariants('Sensitivity-LoRA', [
        sensitivity === 'global' ? 'global sensitivity' : [],
        sensitivity === 'local' ? 'local sensitivity' : [],
        weights === 'equal' ? 'equal weights' : [],
        rank_allocation === 'progressive' ? 'progressive ranks' : [],
        use_rslora === true ? 'alpha / √r' : [],
      ]),
    tags: ['peft', 'lora', 'sensitivity-lora'],
  },
  alpha: ({ lora_alpha }) => lora_alpha,
  method: (even, config) => ({
    measurement: {
      tuner: even,
      steps: 0,
      measures: `the modules' inputs in ${config.calibration_batches} batches`,
    },
    measure: async (_seed, _initial, _gradientAt, inputsOf) => {
      const { modules } = even;
      const sensitivity = sensitivities(await measuredModules(modules, config, inputsOf), config);
      if (!sensitivity.every(Number.isFinite))
        throw new UserError({
          where: 'sensitivity_lora',
          fault: 'found inputs of modules that are not finite',
          hint: 'Check the base model, or train with method: lora.',
        });
      return {
        ranks:
          config.rank_allocation === 'progressive'
            ? progressiveRanks(modules, sensitivity, config)
            : proportionalRanks(modules, sensitivity, config.r * modules.length),
        scores: sensitivity.map((own) => [own]),
      };
    },
  }),
});

/** Measures the mean squares of the features that each module reads. */
async function measuredModules(
  modules: readonly LowRankModule[],
  { calibration_batches: batches }: SensitivityLoraConfig,
  inputsOf: InputsOf,
): Promise<MeasuredModule[]> {
  const sums = new Map<string, { squares: Float64Array; rows: number }>();
  let batch = 0;
  for await (const inputs of inputsOf(modules.map(({ path }) => path))) {
    for (const { paths, width, rows } of inputs) {
      const sum = sums.get(paths[0]!) ?? { squares: new Float64Array(width), rows: 0 };
      for (const path of paths) sums.set(path, sum);
      sum.rows += rows.length / width;
      for (let i = 0; i < rows.length; i++) sum.squares[i % width]! += rows[i]! ** 2;
    }
    if (++batch === batches) break;
  }
  return modules.map(({ path, outFeatures }) => {
    const { squares, rows } = sums.get(path)!;
    return { outFeatures, diagonal: squares.map((sum) => sum / rows) };
  });
}
