import { z } from 'zod';
import type { StoredAdapter } from '../../../input/formats/adapters/stored-adapter.ts';
import { largest } from '../../../support/numbers.ts';
import { AdaLoraTuner } from '../adalora/adalora-tuner.ts';
import { AllocatedRun } from '../allocation/allocated-run.ts';
import { BUDGET_KEYS, budgetShape, budgetSummary, oneBudget, withoutBudget } from '../allocation/budget.ts';
import { SCORE_NAMES, scoreVariant, type TripletScore } from '../allocation/importance.ts';
import { planAllocation } from '../allocation/promised-budget.ts';
import { keptCount } from '../allocation/pruned-module.ts';
import { pruningShape, scheduleShape, scheduleVariants } from '../allocation/schedule.ts';
import { loraKind, rankKeys } from '../lora/lora-files.ts';
import { LoraTuner } from '../lora/lora-tuner.ts';
import { factorName, factorsIn } from '../low-rank/factors.ts';
import { type Export, exportLowRank } from '../low-rank/low-rank-files.ts';
import type { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { adaLoraAlpha } from '../low-rank/patterns-and-scales.ts';
import { adapterConfigShape } from '../low-rank/peft-config.ts';
import type { AnySettings, MethodDefinition } from '../method-definition.ts';
import type { MethodRun } from '../method-run.ts';
import { withTargets } from '../targets/adapted-modules.ts';
import type { TunableModel } from '../tuner.ts';
import { tripletMethod, tripletShape } from './triplet-method.ts';

/** The defaults in which a named method differs from AdaLoRA. */
interface Preset {
  score?: TripletScore;
  use_dora?: boolean;
  path_points?: number;
  initial_lambda?: number;
}

/** AdaLoRA's settings: first PEFT's keys with their defaults, then further keys. */
function prunedSchema({
  score = 'sensitivity-uncertainty',
  use_dora = false,
  path_points = 1,
  initial_lambda = 0,
}: Preset) {
  return oneBudget(
    z.strictObject({
      ...adapterConfigShape,
      ...budgetShape,
      ...scheduleShape,
      ...tripletShape,
      ...pruningShape,
      /**
       * Importance score of a triplet. `sensitivity` and `magnitude` are the paper's ablations. `signal-to-noise`, which
       * is not in the paper, divides by the uncertainty instead of multiplying by it. `sensitivity-over-uncertainty` is
       * IGU-LoRA's.
       */
      score: z.enum(SCORE_NAMES).default(score),
      /** Train DoRA's magnitude too: the length of each row of the weight (Liu et al., ICML 2024, arXiv 2402.09353). */
      use_dora: z.boolean().default(use_dora),
      /** Number of points between zero and the weights at which gradients are taken. Each step uses a random one. `1`: no path. */
      path_points: z.int().min(1).default(path_points),
      /** Initial λ of all triplets. */
      initial_lambda: z.number().default(initial_lambda),
    }),
  )
    .refine(
      ({ use_dora, path_points, initial_lambda }) => !use_dora || (path_points === 1 && initial_lambda === 0),
      {
        path: ['use_dora'],
        error: 'cannot be combined with path_points or initial_lambda',
      },
    )
    .refine(({ shrink, path_points }) => shrink === 'at-final' || path_points === 1, {
      path: ['shrink'],
      error: 'must be at-final with path_points',
    });
}

export const adaLoraConfigSchema = prunedSchema({});
export type AdaLoraConfig = z.infer<typeof adaLoraConfigSchema>;

/**
 * Defines AdaLoRA, or a point of its space with a name of its own: the same settings with other defaults.
 */
function prunedTriplets(
  { method, title, tags }: { method: string; title: string; tags: readonly string[] },
  preset: Preset = {},
): MethodDefinition<AdaLoraConfig, typeof adaLoraConfigSchema> {
  const config = prunedSchema(preset);
  return tripletMethod({
    method,
    title,
    tags,
    config,
    // The averages of sensitivity and uncertainty.
    averages: 2,
    start: (model, settings, totalSteps) => startRun({ method, title }, model, settings, totalSteps),
    kind: preset.use_dora ? loraKind : undefined,
    variants: (settings) => listVariants(settings, preset),
    words: { summary: budgetSummary, budgetKeys: BUDGET_KEYS },
  });
}

/** Describes settings that differ from the method's own. */
function listVariants(settings: AnySettings, preset: Preset): string[] {
  const { score, use_dora, path_points: points } = settings;
  const { score: usual = 'sensitivity-uncertainty', path_points: usualPoints = 1 } = preset;
  const variants = scoreVariant(score, usual);
  if (use_dora === true && !preset.use_dora) variants.push('trained magnitude');
  if (points === 1 && usualPoints > 1) variants.push('without the path');
  if (Number(points) > 1 && usualPoints === 1) variants.push(`path of ${points} points`);
  return [...variants, ...scheduleVariants(settings)];
}

function startRun(
  names: { method: string; title: string },
  model: TunableModel,
  given: AdaLoraConfig,
  totalSteps: number,
): MethodRun {
  const settings = withTargets(model, given, 'many');
  const { use_dora: isDora } = settings;
  // PEFT cannot store a module of rank 0, and its magnitude would be lost.
  const minRank = isDora ? 1 : 0;
  const kind = isDora ? 'LORA' : 'ADALORA';
  const allocating = { ...names, components: 'triplets', minRank, kind } as const;
  const { budget, schedule } = planAllocation(allocating, model, settings, totalSteps);
  // The budget's keys are not stored, because PEFT's keys of these names have another meaning.
  const config = { ...withoutBudget(settings), init_r: budget.initialRank };
  const lora_alpha = adaLoraAlpha(settings, budget.initialRank);
  return new AllocatedRun({
    method: names.method,
    settings,
    schedule,
    budget,
    minRank,
    tuner: AdaLoraTuner.create(model, config),
    store({ tuner, keep, settled }, values, baseModel) {
      const made = { model, values, baseModel };
      if (isDora) return storeDora({ ...made, config }, tuner);
      const { modules, layout } = tuner;
      const flags = modules.map(
        ({ path }, k) => [factorName(path, 'E'), Array.from(keep[k]!, Boolean)] as const,
      );
      const { totalStep, ...steps } = schedule;
      const kept = keep.reduce((sum, module) => sum + keptCount(module), 0);
      const mean = settled ? kept / modules.length : budget.final.rank;
      return exportLowRank(
        { ...made, config: { ...config, lora_alpha }, modules, layout },
        {
          peft_type: 'ADALORA',
          ...steps,
          total_step: totalStep,
          // PEFT's `target_r` is an integer. It has no effect after ranks are final.
          target_r: Math.max(1, Math.round(mean)),
          rank_pattern: settled ? Object.fromEntries(flags) : null,
        },
      );
    },
  });
}

/** Stores triplets with magnitudes as PEFT's DoRA: A = Q and B = P diag(λ). The alphas keep the scale at every rank. */
function storeDora(
  made: Pick<Export, 'model' | 'values' | 'baseModel' | 'config'>,
  { modules, layout, saved }: LowRankTuner,
): StoredAdapter {
  const plain = new LoraTuner({ lora_dropout: 0, use_dora: true }, modules, saved);
  const values = plain.layout.readInto(new Float32Array(plain.layout.length), plain.layout.segments, (name) =>
    layout.read(made.values, name),
  );
  for (const { path, rank } of modules) {
    const { E } = factorsIn(layout, made.values, path);
    const { B } = factorsIn(plain.layout, values, path);
    for (let i = 0; i < B.length; i++) B[i]! *= E![i % rank]!;
  }
  const r = largest(modules.map(({ rank }) => rank));
  const settings = { r, lora_alpha: modules[0]!.scale * r, use_rslora: false };
  const keys = { peft_type: 'LORA', use_dora: true, ...rankKeys(modules, settings) } as const;
  return exportLowRank({ ...made, values, modules, layout: plain.layout }, keys);
}

/** AdaDoRA, a method of adalora: AdaLoRA with DoRA's magnitude (Liu et al., ICML 2024, arXiv 2402.09353). */
export const adaDora = prunedTriplets(
  { method: 'adadora', title: 'AdaDoRA', tags: ['lora', 'dora', 'adadora'] },
  { use_dora: true },
);

/** AdaLoRA (Zhang et al., ICLR 2023), with the keys and files of PEFT. */
export const adaLora = prunedTriplets({ method: 'adalora', title: 'AdaLoRA', tags: ['adalora'] });

/**
 * IGU-LoRA (Cui et al., ICLR 2026, arXiv 2603.13792): AdaLoRA with gradients along a path from zero, and the score (Ī +
 * ε) / (Ū + ε).
 */
export const iguLora = prunedTriplets(
  { method: 'igulora', title: 'IGU-LoRA', tags: ['adalora', 'igulora'] },
  { score: 'sensitivity-over-uncertainty', path_points: 20, initial_lambda: 0.1 },
);
