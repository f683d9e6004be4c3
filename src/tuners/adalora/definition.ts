import { continuesLowRank } from '../low-rank/continues-low-rank.ts';
import type { ImportedKind } from '../low-rank/import-adapter.ts';
import { lowRankKind } from '../low-rank/low-rank-kind.ts';
import type { AdaLoraAdapterConfig } from '../low-rank/peft-config.ts';
import { adaLoraScale } from '../low-rank/scales.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { AdaLoraRun } from './adalora-run.ts';
import { AdaLoraTuner } from './adalora-tuner.ts';
import { type AdaLoraConfig, adaLoraConfigSchema } from './config.ts';
import { resolveSchedule } from './resolve-schedule.ts';

/** AdaLoRA (Zhang et al., ICLR 2023), with the keys and files of PEFT. */
export const adaLora: MethodDefinition<AdaLoraConfig, typeof adaLoraConfigSchema> = {
  config: adaLoraConfigSchema,
  learningRate: 2e-3,
  trains: 'adapter',
  // Two averages of importance beside what every method has.
  vectors: 7,
  start: (model, config, totalSteps) =>
    new AdaLoraRun(model, AdaLoraTuner.create(model, config), resolveSchedule(config, totalSteps)),
  kind: lowRankKind('ADALORA', {
    imported: (config) => imported(config, {}),
    facts: ({ init_r, target_r }) => ({ initialRank: init_r, settings: { init_r, target_r } }),
  }),
  continues: continuesLowRank({
    method: 'adalora',
    schema: adaLoraConfigSchema,
    imported,
    notices: [
      'the adapter goes on with the triplets it has: no rank changes, and the budget keys have no effect',
    ],
  }),
  words: {
    title: 'AdaLoRA',
    tags: ['peft', 'adalora'],
    library: 'peft',
    summary: ({ init_r, target_r }) =>
      init_r === undefined ? undefined : `rank ${init_r} to ${target_r} on average`,
    regularizer: ({ orthogonality }) =>
      orthogonality === 'sum-squared'
        ? 'sum of ‖PᵀP − I‖² and ‖QQᵀ − I‖²'
        : 'mean of ‖PᵀP − I‖ and ‖QQᵀ − I‖',
  },
};

type TrainingSettings = Partial<Pick<AdaLoraConfig, 'lora_dropout' | 'orth_reg_weight' | 'orthogonality'>>;

/** What the adapter is comes from its file, how it is trained from `settings`. */
function imported(
  { init_r, lora_alpha }: AdaLoraAdapterConfig,
  { lora_dropout, orth_reg_weight, orthogonality }: TrainingSettings,
): ImportedKind<AdaLoraTuner> {
  const defaults = adaLoraConfigSchema.parse({});
  const config = {
    ...defaults,
    init_r,
    lora_alpha,
    lora_dropout: lora_dropout ?? defaults.lora_dropout,
    orth_reg_weight: orth_reg_weight ?? defaults.orth_reg_weight,
    orthogonality: orthogonality ?? defaults.orthogonality,
  };
  return {
    scale: () => adaLoraScale(config),
    create: (modules, saved) => new AdaLoraTuner(config, modules, saved),
  };
}
