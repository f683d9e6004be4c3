import { z } from 'zod';
import type { StoredAdapter } from '../../formats/adapters/stored-adapter.ts';
import { allocatedTriplets } from '../adalora/allocated-triplets.ts';
import { tripletShape } from '../adalora/triplet-shape.ts';
import { tripletWords } from '../adalora/triplet-words.ts';
import { allocationVariants } from '../allocation/allocation-variants.ts';
import { BUDGET_KEYS, budgetShape } from '../allocation/budget-shape.ts';
import { budgetSummary } from '../allocation/budget-summary.ts';
import { oneBudget } from '../allocation/one-budget.ts';
import { pruningShape } from '../allocation/pruning-shape.ts';
import { scheduleShape } from '../allocation/schedule-shape.ts';
import { loraKind } from '../lora/lora-kind.ts';
import { LoraTuner } from '../lora/lora-tuner.ts';
import { rankKeys } from '../lora/store-ranked.ts';
import { adapterConfigShape } from '../low-rank/adapter-config-shape.ts';
import { type Export, exportAdapter } from '../low-rank/export-adapter.ts';
import { factorName } from '../low-rank/factors.ts';
import type { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { asStored } from '../low-rank/peft-adapter.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { AdaDoraTuner } from './adadora-tuner.ts';

/** AdaDoRA's settings: AdaLoRA's. Every module keeps at least one triplet. */
const adaDoraConfigSchema = oneBudget(
  z.strictObject({
    ...adapterConfigShape,
    ...budgetShape,
    ...scheduleShape,
    ...tripletShape,
    ...pruningShape,
  }),
);

type AdaDoraConfig = z.infer<typeof adaDoraConfigSchema>;

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
    allocatedTriplets(NAMES, model, {
      settings: { ...settings, score: 'sensitivity-uncertainty' },
      totalSteps,
      create: (config) => {
        const { modules, saved } = AdaDoraTuner.create(model, config);
        return new AdaDoraTuner(config, modules, saved);
      },
      storeAs: storeDora,
      // PEFT cannot store a module of rank 0, and its magnitude would be lost.
      minRank: 1,
    }),
  kind: loraKind,
  words: tripletWords(NAMES, {
    tags: ['lora', 'dora', NAMES.method],
    variants: (settings) => allocationVariants(settings),
    summary: (settings) => budgetSummary(settings, 'triplets'),
    budgetKeys: BUDGET_KEYS,
  }),
};

/** Stores triplets with magnitudes as PEFT's DoRA: A = Q and B = P diag(λ). The alphas keep the scale at every rank. */
function storeDora(
  made: Pick<Export, 'model' | 'targets' | 'values' | 'baseModel' | 'config'>,
  { modules, layout, saved }: LowRankTuner,
): StoredAdapter {
  const plain = new LoraTuner({ lora_dropout: 0, use_dora: true }, modules, saved);
  const values = new Float32Array(plain.layout.length);
  for (const { name } of plain.layout.segments)
    plain.layout.read(values, name).set(layout.read(made.values, name));
  for (const { path, rank } of modules) {
    const lambdas = layout.read(made.values, factorName(path, 'E'));
    const columns = plain.layout.read(values, factorName(path, 'B'));
    for (let i = 0; i < columns.length; i++) columns[i]! *= lambdas[i % rank]!;
  }
  const r = Math.max(...modules.map(({ rank }) => rank));
  const settings = { r, lora_alpha: modules[0]!.scale * r, use_rslora: false };
  const keys = { peft_type: 'LORA', use_dora: true, ...rankKeys(modules, settings) } as const;
  return asStored(exportAdapter({ ...made, values, modules, layout: plain.layout }, keys));
}
