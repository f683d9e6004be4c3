import { z } from 'zod';
import { AllocatedRun } from '../allocation/allocated-run.ts';
import { BUDGET_KEYS, budgetShape, budgetSummary, oneBudget, withoutBudget } from '../allocation/budget.ts';
import { scoreVariant } from '../allocation/importance.ts';
import { planAllocation } from '../allocation/promised-budget.ts';
import { pruningShape, scheduleShape, scheduleVariants } from '../allocation/schedule.ts';
import { loraKind, PAIR_WORDS, storeRanked } from '../lora/lora-files.ts';
import { LoraTuner } from '../lora/lora-tuner.ts';
import { loraScale, scaleVariant, withVariants } from '../low-rank/patterns-and-scales.ts';
import { adapterConfigShape, scaleShape } from '../low-rank/peft-config.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { withTargets } from '../targets/adapted-modules.ts';

const SCORES = ['sensitivity-uncertainty', 'signal-to-noise', 'sensitivity'] as const;

/** Prune-LoRA's settings: AdaLoRA's without the settings for λ and orthogonality. */
const pruneLoraConfigSchema = oneBudget(
  z.strictObject({
    ...adapterConfigShape,
    ...scaleShape,
    ...budgetShape,
    ...scheduleShape,
    ...pruningShape,
    /**
     * Importance score of a doublet: by the averages of sensitivity and uncertainty, or by the last step only.
     */
    score: z.enum(SCORES).default('sensitivity-uncertainty'),
  }),
);

type PruneLoraConfig = z.infer<typeof pruneLoraConfigSchema>;

const NAMES = { method: 'prune_lora', title: 'prune-LoRA', components: 'doublets' } as const;

/**
 * Prune-LoRA, an ablation of the paper (table 4): LoRA's doublets (a row of A with a column of B), pruned by AdaLoRA's
 * importance and schedule. It ends as LoRA with an individual rank for each module.
 */
export const pruneLora: MethodDefinition<PruneLoraConfig, typeof pruneLoraConfigSchema> = {
  config: pruneLoraConfigSchema,
  learningRate: 5e-4,
  chosen: { encoder: { rate: 2e-3, lora_alpha: 32 }, language: { rate: 2e-4, lora_alpha: 16 } },
  trains: 'adapter',
  // Five vectors as in every method, and two averages of importance.
  vectors: 7,
  start(model, given, totalSteps) {
    const settings = withTargets(model, given, 'many');
    const { modules, saved, ...plan } = planAllocation(NAMES, model, settings, totalSteps);
    const { initialRank: rank } = plan.budget;
    const even = { r: rank, lora_alpha: settings.lora_alpha, use_rslora: settings.scale === 'rslora' };
    const scale = loraScale({ ...even, alpha_pattern: {} }, '', rank);
    const ranked = modules.map((module) => ({ ...module, rank, scale }));
    return new AllocatedRun({
      ...plan,
      method: NAMES.method,
      tuner: new LoraTuner(settings, ranked, saved),
      settings,
      store: ({ tuner }, values, baseModel) =>
        // The budget's keys are not stored, because PEFT's `target_parameters` has another meaning.
        storeRanked({ model, values, baseModel }, { ...withoutBudget(settings), ...even }, tuner),
    });
  },
  kind: loraKind,
  words: {
    title: NAMES.title,
    titleWith: ({ score, ...settings }) =>
      withVariants(NAMES.title, [
        scoreVariant(score, 'sensitivity-uncertainty'),
        scheduleVariants(settings),
        scaleVariant(settings),
      ]),
    tags: ['peft', 'lora', 'prune-lora'],
    ...PAIR_WORDS,
    summary: budgetSummary,
    budgetKeys: BUDGET_KEYS,
  },
};
