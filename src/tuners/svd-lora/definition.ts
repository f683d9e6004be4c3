import { adaLoraKind, importedAdaLora } from '../adalora/adalora-kind.ts';
import { AdaLoraTuner } from '../adalora/adalora-tuner.ts';
import { tripletTerm } from '../adalora/triplet-term.ts';
import { tripletVariants } from '../adalora/triplet-variants.ts';
import { continuesLowRank } from '../low-rank/continues-low-rank.ts';
import { defaultTargets } from '../low-rank/default-targets.ts';
import { exportAdapter } from '../low-rank/export-adapter.ts';
import { ranksOf } from '../low-rank/factors.ts';
import { asStored } from '../low-rank/peft-adapter.ts';
import { adaLoraAlpha } from '../low-rank/scales.ts';
import { withVariants } from '../low-rank/variants.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { type SvdLoraConfig, svdLoraConfigSchema } from './config.ts';

const TITLE = 'SVD-LoRA';

/**
 * SVD-LoRA, an ablation of the paper (table 5): AdaLoRA's triplets and orthogonality term at a constant rank. Its
 * files are AdaLoRA's, with every triplet kept.
 */
export const svdLora: MethodDefinition<SvdLoraConfig, typeof svdLoraConfigSchema> = {
  config: svdLoraConfigSchema,
  learningRate: 2e-3,
  chosen: { encoder: { rate: 5e-3, lora_alpha: 32 }, language: { rate: 1e-3, lora_alpha: 32 } },
  trains: 'adapter',
  vectors: 5,
  start(model, config, totalSteps) {
    const { r, ...settings } = config;
    const tuner = AdaLoraTuner.create(model, { ...settings, init_r: r });
    const { modules, layout } = tuner;
    const lora_alpha = adaLoraAlpha(settings, r);
    const targets = defaultTargets(model, 'many');
    return staticRun(tuner, {
      ranks: ranksOf(modules),
      store: (values, baseModel) =>
        asStored(
          exportAdapter(
            { model, config: { ...settings, lora_alpha }, targets, modules, layout, values, baseModel },
            // PEFT rejects a config without total_step; the schedule has no phases.
            { peft_type: 'ADALORA', init_r: r, target_r: r, total_step: totalSteps },
          ),
        ),
    });
  },
  kind: adaLoraKind,
  continues: continuesLowRank({
    method: 'svd_lora',
    schema: svdLoraConfigSchema,
    known: ({ init_r, ...config }) => ({ ...config, r: init_r, scale: 'standard' }),
    imported: importedAdaLora,
    meaningless: ['init'],
    notices: ["Training continues with the adapter's triplets."],
  }),
  words: {
    title: TITLE,
    titleWith: (settings) => withVariants(TITLE, tripletVariants(settings)),
    tags: ['peft', 'adalora', 'svd-lora'],
    library: 'peft',
    summary: ({ r }) => (r === undefined ? undefined : `rank ${r}`),
    budgetKeys: ['r', 'lora_alpha'],
    components: 'triplets',
    factors: ['P', 'Q'],
    regularizer: tripletTerm,
  },
};
