import { continuesLowRank } from '../low-rank/continues-low-rank.ts';
import { defaultTargets } from '../low-rank/default-targets.ts';
import { exportAdapter } from '../low-rank/export-adapter.ts';
import { ranksOf } from '../low-rank/factors.ts';
import { asStored } from '../low-rank/peft-adapter.ts';
import { scaleVariant, termVariant, withVariants } from '../low-rank/variants.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { type LoraConfig, loraConfigSchema } from './config.ts';
import { importedLora, loraKind } from './lora-kind.ts';
import { LoraTuner } from './lora-tuner.ts';
import { RankedRun } from './ranked-run.ts';
import { isRankStabilised } from './scale-of.ts';
import { storeRanked } from './store-ranked.ts';

/** LoRA (Hu et al., 2022), with the keys and files of PEFT. */
export const lora: MethodDefinition<LoraConfig, typeof loraConfigSchema> = {
  config: loraConfigSchema,
  learningRate: 5e-4,
  chosen: { encoder: { rate: 3e-3, lora_alpha: 32 }, language: { rate: 2e-4, lora_alpha: 16 } },
  trains: 'adapter',
  vectors: 5,
  start(model, config) {
    const tuner = LoraTuner.create(model, config);
    const { modules, layout } = tuner;
    const targets = defaultTargets(model, 'few');
    const settings = { ...config, use_rslora: isRankStabilised(config) };
    if (config.allocation === 'before-training') {
      return new RankedRun(tuner, config, (ranked, values, baseModel) =>
        storeRanked({ model, targets, values, baseModel }, settings, ranked),
      );
    }
    return staticRun(tuner, {
      ranks: ranksOf(modules),
      store: (values, baseModel) =>
        asStored(
          exportAdapter(
            { model, config: settings, targets, modules, layout, values, baseModel },
            { peft_type: 'LORA' },
          ),
        ),
    });
  },
  kind: loraKind,
  continues: continuesLowRank({
    method: 'lora',
    schema: loraConfigSchema,
    known: ({ use_rslora, ...start }) => ({
      ...start,
      use_rslora,
      ...{ scale: use_rslora ? 'rslora' : 'standard', allocation: 'even' },
    }),
    imported: importedLora,
    notices: [],
  }),
  words: {
    title: 'LoRA',
    titleWith: ({ orth_reg_weight = 0, orthogonality, use_rslora, scale, allocation }) =>
      withVariants(Number(orth_reg_weight) > 0 ? 'LoRA + R' : 'LoRA', [
        termVariant({ orth_reg_weight, orthogonality }),
        allocation === 'before-training' ? 'ranks before training' : [],
        scaleVariant({ scale: use_rslora === true ? 'rslora' : scale }),
      ]),
    tags: ['peft', 'lora'],
    library: 'peft',
    summary: ({ r, allocation }) =>
      r === undefined ? undefined : `rank ${r}${allocation === 'before-training' ? ' on average' : ''}`,
    budgetKeys: ['r', 'rank_pattern', 'lora_alpha', 'alpha_pattern'],
    components: 'doublets',
    factors: ['B', 'A'],
    regularizer: ({ orth_reg_weight: weight, orthogonality: form }) => {
      if (!(Number(weight) > 0)) return undefined;
      return form === 'sum-squared'
        ? 'sum of ‖AAᵀ − I‖² and ‖BᵀB − I‖²'
        : 'mean of |cos| between rows of A and between columns of B';
    },
  },
};
