import { adaLoraKind } from '../adalora/adalora-kind.ts';
import { allocatedTriplets } from '../adalora/allocated-triplets.ts';
import { continuesTriplets } from '../adalora/continues-triplets.ts';
import { tripletWords } from '../adalora/triplet-words.ts';
import { allocationVariants } from '../allocation/allocation-variants.ts';
import { BUDGET_KEYS } from '../allocation/budget-shape.ts';
import { budgetSummary } from '../allocation/budget-summary.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { type IguLoraConfig, iguLoraConfigSchema } from './config.ts';
import { IguLoraTuner } from './igulora-tuner.ts';

const NAMES = { method: 'igulora', title: 'IGU-LoRA' } as const;

/**
 * IGU-LoRA (Cui et al., ICLR 2026, arXiv 2603.13792): AdaLoRA with gradients along a path from zero, and the score (Ī +
 * ε) / (Ū + ε).
 */
export const iguLora: MethodDefinition<IguLoraConfig, typeof iguLoraConfigSchema> = {
  config: iguLoraConfigSchema,
  learningRate: 2e-3,
  chosen: { encoder: { rate: 5e-3, lora_alpha: 32 }, language: { rate: 1e-3, lora_alpha: 32 } },
  trains: 'adapter',
  // Five vectors as in every method, and two averages of importance.
  vectors: 7,
  start: (model, settings, totalSteps) =>
    allocatedTriplets(NAMES, model, {
      settings: { ...settings, score: 'sensitivity-over-uncertainty', shrink: 'at-final' },
      totalSteps,
      create: (config) => {
        const { settings: own, modules, saved } = IguLoraTuner.create(model, config);
        return new IguLoraTuner(config, own, modules, saved);
      },
    }),
  kind: adaLoraKind,
  continues: continuesTriplets(NAMES.method, iguLoraConfigSchema),
  words: tripletWords(NAMES, {
    tags: ['adalora', NAMES.method],
    variants: ({ path_points: points, restart, ...settings }) =>
      [
        points === 1 ? 'without the path' : [],
        restart === true ? 'restart with final ranks' : [],
        allocationVariants(settings),
      ].flat(),
    summary: (settings) => budgetSummary(settings, 'triplets'),
    budgetKeys: BUDGET_KEYS,
  }),
};
