import { continuesLowRank } from '../low-rank/continues-low-rank.ts';
import { exportAdapter } from '../low-rank/export-adapter.ts';
import { ranksOf } from '../low-rank/factors.ts';
import type { ImportedKind } from '../low-rank/import-adapter.ts';
import { lowRankKind } from '../low-rank/low-rank-kind.ts';
import { asStored } from '../low-rank/peft-adapter.ts';
import type { LoraAdapterConfig } from '../low-rank/peft-config.ts';
import { loraScale } from '../low-rank/scales.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { type LoraConfig, loraConfigSchema } from './config.ts';
import { LoraTuner } from './lora-tuner.ts';

/** LoRA (Hu et al., 2022), with the keys and files of PEFT. */
export const lora: MethodDefinition<LoraConfig, typeof loraConfigSchema> = {
  config: loraConfigSchema,
  learningRate: 5e-4,
  trains: 'adapter',
  vectors: 5,
  start(model, config) {
    const tuner = LoraTuner.create(model, config);
    const { modules, layout } = tuner;
    const targets = model.definition.targetModules.few;
    return staticRun(tuner, {
      ranks: ranksOf(modules),
      store: (values, baseModel) =>
        asStored(
          exportAdapter(
            { model, config, targets, modules, layout, values, baseModel },
            { peft_type: 'LORA' },
          ),
        ),
    });
  },
  kind: lowRankKind('LORA', {
    imported: (config) => imported(config, { lora_dropout: 0 }),
    facts: () => ({ settings: {} }),
  }),
  continues: continuesLowRank({ method: 'lora', schema: loraConfigSchema, imported, notices: [] }),
  words: {
    title: 'LoRA',
    tags: ['peft', 'lora'],
    library: 'peft',
    summary: ({ r }) => (r === undefined ? undefined : `rank ${r}`),
  },
};

function imported(
  start: LoraAdapterConfig,
  settings: Pick<LoraConfig, 'lora_dropout'>,
): ImportedKind<LoraTuner> {
  return {
    scale: (path, rank) => loraScale(start, path, rank),
    create: (modules, saved) => new LoraTuner(settings, modules, saved),
  };
}
