import { continuesLowRank } from '../low-rank/continued-section.ts';
import { listRanks } from '../low-rank/factors.ts';
import { exportLowRank } from '../low-rank/low-rank-files.ts';
import { scaleVariant, withVariants } from '../low-rank/patterns-and-scales.ts';
import { LORA_FILES } from '../low-rank/peft-config.ts';
import type { AnySettings, MethodDefinition } from '../method-definition.ts';
import { staticRun } from '../method-run.ts';
import { withTargets } from '../targets/adapted-modules.ts';
import { isRankStabilised, LORA_RATES, type LoraConfig, loraConfigSchema } from './config.ts';
import { doubledKeys } from './dora-injection.ts';
import { loraKind, loraOfFile, PAIR_WORDS } from './lora-files.ts';
import { LoraTuner } from './lora-tuner.ts';
import { weightStart } from './start-factors.ts';

const STARTS: Readonly<Record<string, string>> = { pissa: 'PiSSA', loftq: 'LoftQ' };

/** LoRA (Hu et al., 2022), with the keys and files of PEFT. */
export const lora: MethodDefinition<LoraConfig, typeof loraConfigSchema> = {
  config: loraConfigSchema,
  ...LORA_RATES,
  trains: 'adapter',
  vectors: 5,
  requiredBase: ({ init_lora_weights: init }) =>
    init === 'loftq' ? { key: 'init_lora_weights: loftq', dtype: 'int4' } : undefined,
  start(model, config) {
    const tuner = LoraTuner.create(model, config);
    const settings = { ...withTargets(model, config, 'few'), use_rslora: isRankStabilised(config) };
    const keys = { peft_type: 'LORA', ...storedKeys(settings) } as const;
    return staticRun(tuner, {
      ranks: listRanks(tuner.modules),
      store: (values, baseModel) =>
        exportLowRank({ model, config: settings, ...tuner.factored(values), baseModel }, keys),
    });
  },
  kind: loraKind,
  continues: continuesLowRank({
    method: 'lora',
    schema: loraConfigSchema,
    files: LORA_FILES,
    known: ({ use_rslora, ...start }) => ({
      ...start,
      use_rslora,
      scale: use_rslora ? 'rslora' : 'standard',
      init_lora_weights: weightStart(start.init_lora_weights) ?? true,
    }),
    tunerOf: loraOfFile,
    storedKeys,
    notices: [],
  }),
  words: {
    title: 'LoRA',
    titleWith: loraTitle,
    tags: ['peft', 'lora'],
    ...PAIR_WORDS,
    summary: ({ r }) => (r === undefined ? undefined : `rank ${r}`),
    budgetKeys: ['r', 'rank_pattern', 'lora_alpha', 'alpha_pattern'],
    regularizer: ({ orth_reg_weight: weight, orthogonality: form }) => {
      if (!(Number(weight) > 0)) return undefined;
      return form === 'sum-squared'
        ? 'sum of ‖AAᵀ − I‖² and ‖BᵀB − I‖²'
        : 'mean of |cos| between rows of A and between columns of B';
    },
  },
};

/** The keys that change in the file. A start from the weight is exported as plain LoRA of twice the rank. */
function storedKeys(config: Parameters<typeof doubledKeys>[0] & { init_lora_weights: unknown }) {
  if (config.init_lora_weights === 'loftq') return { init_lora_weights: true, loftq_config: {} };
  return weightStart(config.init_lora_weights) ? doubledKeys(config) : {};
}

/** The papers' name for LoRA with these settings. */
function loraTitle(settings: AnySettings): string {
  const { orth_reg_weight = 0, orthogonality, use_rslora, scale, ...rest } = settings;
  const { use_dora, loraplus_lr_ratio: ratio = 1, init_lora_weights: init } = rest;
  const plus = Number(ratio) === 1 ? '' : '+';
  const title = use_dora === true ? `DoRA${plus}` : `LoRA${plus}`;
  return withVariants(Number(orth_reg_weight) > 0 ? `${title} + R` : title, [
    typeof init === 'string' ? `${STARTS[init.slice(0, 5)]} start` : [],
    Number(orth_reg_weight) > 0 && orthogonality === 'sum-squared' ? 'R of equation 4' : [],
    scaleVariant({ scale: use_rslora === true ? 'rslora' : scale }),
  ]);
}
