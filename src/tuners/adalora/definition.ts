import { allocationVariants } from '../allocation/allocation-variants.ts';
import type { ScoreName } from '../allocation/allocator.ts';
import { BUDGET_KEYS } from '../allocation/budget-shape.ts';
import { budgetSummary } from '../allocation/budget-summary.ts';
import { continuesLowRank } from '../low-rank/continues-low-rank.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { isOwnFunction } from '../own-function.ts';
import { adaLoraKind, importedAdaLora } from './adalora-kind.ts';
import { AdaLoraTuner } from './adalora-tuner.ts';
import { allocatedTriplets } from './allocated-triplets.ts';
import { type AdaLoraConfig, adaLoraConfigSchema } from './config.ts';
import { tripletWords } from './triplet-words.ts';

const NAMES = { method: 'adalora', title: 'AdaLoRA', components: 'triplets' } as const;

/** AdaLoRA (Zhang et al., ICLR 2023), with the keys and files of PEFT. */
export const adaLora: MethodDefinition<AdaLoraConfig, typeof adaLoraConfigSchema> = {
  config: adaLoraConfigSchema,
  learningRate: 2e-3,
  chosen: { encoder: { rate: 5e-3, lora_alpha: 32 }, language: { rate: 1e-3, lora_alpha: 32 } },
  trains: 'adapter',
  // Five vectors as in every method, and two averages of importance.
  vectors: 7,
  start: (model, settings, totalSteps) =>
    allocatedTriplets(NAMES, model, {
      settings,
      totalSteps,
      create: (config) => AdaLoraTuner.create(model, config),
    }),
  kind: adaLoraKind,
  continues: continuesLowRank({
    method: NAMES.method,
    schema: adaLoraConfigSchema,
    // The file's alpha already includes the scale of the original run.
    known: (start) => ({ ...start, scale: 'standard' }),
    imported: importedAdaLora,
    meaningless: [...BUDGET_KEYS, 'score', 'init', 'schedule'],
    notices: ["Training continues with the adapter's triplets. Their ranks do not change."],
  }),
  words: tripletWords(NAMES, {
    tags: ['adalora'],
    variants: ({ score, ...settings }) =>
      [
        isOwnFunction(score) ? 'own score' : (SCORES[score as ScoreName] ?? []),
        allocationVariants(settings),
      ].flat(),
    summary: (settings) => budgetSummary(settings, NAMES.components),
    budgetKeys: BUDGET_KEYS,
  }),
};

/** The scores in the notation of the paper's ablations (table 4). Undefined for scores that are not mentioned. */
const SCORES: Readonly<Record<ScoreName, string | undefined>> = {
  'sensitivity-uncertainty': undefined,
  sensitivity: 's = I',
  magnitude: 's = |λ|',
  'signal-to-noise': 's = Ī / Ū',
  // Only IGU-LoRA uses this score.
  'sensitivity-over-uncertainty': undefined,
};
