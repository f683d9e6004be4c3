import { z } from 'zod';
import { AdaLoraTuner } from '../adalora/adalora-tuner.ts';
import { tripletMethod, tripletShape } from '../composed/triplet-method.ts';
import { listRanks } from '../low-rank/factors.ts';
import { exportLowRank } from '../low-rank/low-rank-files.ts';
import { adaLoraAlpha } from '../low-rank/patterns-and-scales.ts';
import { adapterConfigShape } from '../low-rank/peft-config.ts';
import { staticRun } from '../method-run.ts';
import { rank } from '../peft/settings.ts';
import { withTargets } from '../targets/adapted-modules.ts';

/** SVD-LoRA's settings: AdaLoRA's without the settings for allocation. */
const svdLoraConfigSchema = z.strictObject({
  ...adapterConfigShape,
  /** Rank of every module. */
  r: rank.default(8),
  ...tripletShape,
});

type SvdLoraConfig = z.infer<typeof svdLoraConfigSchema>;

/**
 * SVD-LoRA, an ablation of the paper (table 5): AdaLoRA's triplets and orthogonality term at a constant rank. Its files
 * are AdaLoRA's, with every triplet kept.
 */
export const svdLora = tripletMethod<SvdLoraConfig, typeof svdLoraConfigSchema>({
  method: 'svd_lora',
  title: 'SVD-LoRA',
  tags: ['adalora', 'svd-lora'],
  config: svdLoraConfigSchema,
  averages: 0,
  start(model, config, totalSteps) {
    const { r, ...settings } = withTargets(model, config, 'many');
    const tuner = AdaLoraTuner.create(model, { ...settings, init_r: r });
    const { modules, layout } = tuner;
    const lora_alpha = adaLoraAlpha(settings, r);
    return staticRun(tuner, {
      ranks: listRanks(modules),
      store: (values, baseModel) =>
        exportLowRank(
          { model, config: { ...settings, lora_alpha }, modules, layout, values, baseModel },
          // PEFT rejects a config without total_step. The schedule has no phases.
          { peft_type: 'ADALORA', init_r: r, target_r: r, total_step: totalSteps },
        ),
    });
  },
  known: ({ init_r, ...config }) => ({ ...config, r: init_r }),
  words: { summary: ({ r }) => (r === undefined ? undefined : `rank ${r}`), budgetKeys: ['r', 'lora_alpha'] },
});
