import { z } from 'zod';
import { adaLoraKind, importedAdaLora } from '../adalora/adalora-kind.ts';
import { AdaLoraTuner } from '../adalora/adalora-tuner.ts';
import { tripletShape } from '../adalora/triplet-shape.ts';
import { tripletWords } from '../adalora/triplet-words.ts';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';
import { continuesLowRank } from '../low-rank/continues-low-rank.ts';
import { defaultTargets } from '../low-rank/default-targets.ts';
import { exportAdapter } from '../low-rank/export-adapter.ts';
import { ranksOf } from '../low-rank/factors.ts';
import { asStored } from '../low-rank/peft-adapter.ts';
import { adaLoraAlpha } from '../low-rank/scales.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { rank } from '../shared/rank.ts';

/** SVD-LoRA's settings: AdaLoRA's without the settings for allocation. */
const svdLoraConfigSchema = z.strictObject({
  ...adapterConfigShape,
  /** Rank of every module. */
  r: rank.default(8),
  ...tripletShape,
});

type SvdLoraConfig = z.infer<typeof svdLoraConfigSchema>;

const NAMES = { method: 'svd_lora', title: 'SVD-LoRA' } as const;

/**
 * SVD-LoRA, an ablation of the paper (table 5): AdaLoRA's triplets and orthogonality term at a constant rank. Its files
 * are AdaLoRA's, with every triplet kept.
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
            // PEFT rejects a config without total_step. The schedule has no phases.
            { peft_type: 'ADALORA', init_r: r, target_r: r, total_step: totalSteps },
          ),
        ),
    });
  },
  kind: adaLoraKind,
  continues: continuesLowRank({
    method: NAMES.method,
    schema: svdLoraConfigSchema,
    known: ({ init_r, ...config }) => ({ ...config, r: init_r, scale: 'standard' }),
    imported: importedAdaLora,
    meaningless: ['init'],
    notices: ["Training continues with the adapter's triplets."],
  }),
  words: tripletWords(NAMES, {
    tags: ['adalora', 'svd-lora'],
    summary: ({ r }) => (r === undefined ? undefined : `rank ${r}`),
    budgetKeys: ['r', 'lora_alpha'],
  }),
};
