import { patternValue } from '../low-rank/pattern-value.ts';
import { withVariants } from '../low-rank/scales.ts';
import { measuredLora } from '../measured/measured-lora.ts';
import { type EvaConfig, evaConfigSchema, measureInputs } from './measure-inputs.ts';

/** EVA (Paischer et al., 2024), with the keys, the procedure and the files of PEFT. */
export const eva = measuredLora<EvaConfig, typeof evaConfigSchema>({
  config: evaConfigSchema,
  learningRate: 5e-4,
  chosen: { encoder: { rate: 3e-3, lora_alpha: 32 }, language: { rate: 2e-4, lora_alpha: 16 } },
  words: {
    title: 'EVA',
    titleWith: ({ use_rslora, whiten, adjust_scaling_factors }) =>
      withVariants('EVA', [
        use_rslora === true ? 'alpha / √r' : [],
        whiten === true ? 'whitened' : [],
        adjust_scaling_factors === false ? 'scale of each rank' : [],
      ]),
    tags: ['peft', 'lora', 'eva'],
  },
  alpha({ adjust_scaling_factors, alpha_pattern, lora_alpha }, { path, rank: before }, rank) {
    const alpha = patternValue(alpha_pattern, path) ?? lora_alpha;
    return adjust_scaling_factors && rank !== before ? alpha * (rank / before) : alpha;
  },
  method: (even, config) => ({
    measurement: { tuner: even, steps: 0, measures: "the modules' inputs" },
    measure: (_seed, _initial, _gradientAt, inputsOf) => measureInputs(even.modules, config, inputsOf),
  }),
});
