import { adaLoraKind } from '../adalora/adalora-kind.ts';
import { allocatedTriplets } from '../adalora/allocated-triplets.ts';
import { tripletTerm } from '../adalora/triplet-term.ts';
import { tripletVariants } from '../adalora/triplet-variants.ts';
import { allocationVariants } from '../allocation/allocation-variants.ts';
import { BUDGET_KEYS } from '../allocation/budget-shape.ts';
import { budgetSummary } from '../allocation/budget-summary.ts';
import { importanceVariant, withVariants } from '../low-rank/variants.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { type IguLoraConfig, iguLoraConfigSchema } from './config.ts';
import { IguLoraTuner } from './igulora-tuner.ts';

const NAMES = { method: 'igulora', title: 'IGU-LoRA' } as const;

/**
 * IGU-LoRA (Cui et al., ICLR 2026, arXiv 2603.13792): AdaLoRA with gradients along a path from zero, and the score
 * (Ī + ε) / (Ū + ε).
 */
export const iguLora: MethodDefinition<IguLoraConfig, typeof iguLoraConfigSchema> = {
  config: iguLoraConfigSchema,
  learningRate: 2e-3,
  chosen: { encoder: { rate: 5e-3, lora_alpha: 32 }, language: { rate: 1e-3, lora_alpha: 32 } },
  trains: 'adapter',
  // Two averages of importance, beside the vectors of every method.
  vectors: 7,
  start: (model, settings, totalSteps) =>
    allocatedTriplets(
      NAMES,
      model,
      { ...settings, score: 'sensitivity-over-uncertainty', shrink: 'at-final' },
      totalSteps,
      (config) => {
        const { settings: own, modules, saved } = IguLoraTuner.create(model, config);
        return new IguLoraTuner(config, own, modules, saved);
      },
    ),
  kind: adaLoraKind,
  words: {
    title: NAMES.title,
    titleWith: ({ path_points: points, ...settings }) =>
      withVariants(NAMES.title, [
        points === 1 ? 'without the path' : [],
        ...allocationVariants(settings),
        importanceVariant(settings),
        tripletVariants(settings),
      ]),
    tags: ['peft', 'adalora', NAMES.method],
    library: 'peft',
    components: 'triplets',
    summary: (settings) => budgetSummary(settings, 'triplets'),
    budgetKeys: BUDGET_KEYS,
    factors: ['P', 'Q'],
    regularizer: tripletTerm,
  },
};
