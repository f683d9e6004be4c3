import { allocatedTriplets } from '../adalora/allocated-triplets.ts';
import { tripletWords } from '../adalora/triplet-words.ts';
import { allocationVariants } from '../allocation/allocation-variants.ts';
import { BUDGET_KEYS } from '../allocation/budget-shape.ts';
import { budgetSummary } from '../allocation/budget-summary.ts';
import { loraKind } from '../lora/lora-kind.ts';
import { importanceVariant } from '../low-rank/variants.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { AdaDoraTuner } from './adadora-tuner.ts';
import { type AdaDoraConfig, adaDoraConfigSchema } from './config.ts';
import { storeDora } from './store-dora.ts';

const NAMES = { method: 'adadora', title: 'AdaDoRA' } as const;

/** AdaDoRA, a method of adalora: AdaLoRA with DoRA's magnitude (Liu et al., ICML 2024, arXiv 2402.09353). */
export const adaDora: MethodDefinition<AdaDoraConfig, typeof adaDoraConfigSchema> = {
  config: adaDoraConfigSchema,
  learningRate: 2e-3,
  chosen: { encoder: { rate: 5e-3, lora_alpha: 32 }, language: { rate: 1e-3, lora_alpha: 32 } },
  trains: 'adapter',
  // Five vectors as in every method, and two averages of importance.
  vectors: 7,
  start: (model, settings, totalSteps) =>
    allocatedTriplets(
      NAMES,
      model,
      { ...settings, score: 'sensitivity-uncertainty' },
      totalSteps,
      (config) => {
        const { modules, saved } = AdaDoraTuner.create(model, config);
        return new AdaDoraTuner(config, modules, saved);
      },
      storeDora,
    ),
  kind: loraKind,
  words: tripletWords(NAMES, {
    tags: ['lora', 'dora', NAMES.method],
    variants: ({ min_rank, ...settings }) =>
      [
        allocationVariants({ ...settings, ...(min_rank !== 1 && { min_rank }) }),
        importanceVariant(settings),
      ].flat(),
    summary: (settings) => budgetSummary(settings, 'triplets'),
    budgetKeys: BUDGET_KEYS,
  }),
};
