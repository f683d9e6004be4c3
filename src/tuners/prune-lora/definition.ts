import { AllocatedRun } from '../allocation/allocated-run.ts';
import { withoutBudget } from '../allocation/budget-shape.ts';
import { budgetSummary } from '../allocation/budget-summary.ts';
import { planAllocation } from '../allocation/plan-allocation.ts';
import { loraKind } from '../lora/lora-kind.ts';
import { LoraTuner } from '../lora/lora-tuner.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { type PruneLoraConfig, pruneLoraConfigSchema } from './config.ts';
import { storePruned } from './store-pruned.ts';

const NAMES = { method: 'prune_lora', title: 'prune-LoRA', components: 'doublets' } as const;

/**
 * Prune-LoRA, an ablation of the paper (table 4): LoRA's doublets, a row of A with a column of B, pruned by AdaLoRA's importance
 * and schedule. It ends as LoRA with a rank of its own for each module.
 */
export const pruneLora: MethodDefinition<PruneLoraConfig, typeof pruneLoraConfigSchema> = {
  config: pruneLoraConfigSchema,
  learningRate: 5e-4,
  trains: 'adapter',
  // Two averages of importance beside what every method has.
  vectors: 7,
  start(model, settings, totalSteps) {
    const targets = model.definition.targetModules.many;
    const allocating = { ...NAMES, targets, kind: 'LORA' } as const;
    const { modules, saved, ...plan } = planAllocation(allocating, model, settings, totalSteps);
    const { initialRank: rank } = plan.budget;
    const scale = settings.lora_alpha / rank;
    const ranked = modules.map((module) => ({ ...module, rank, scale }));
    return new AllocatedRun({
      ...plan,
      method: NAMES.method,
      tuner: new LoraTuner(settings, ranked, saved),
      settings,
      store: ({ tuner }, values, baseModel) =>
        // PEFT has a target_parameters too, which means something else.
        storePruned({ model, targets, values, baseModel }, withoutBudget(settings), tuner, rank),
    });
  },
  kind: loraKind,
  words: {
    title: NAMES.title,
    tags: ['peft', 'lora', 'prune-lora'],
    library: 'peft',
    summary: budgetSummary,
  },
};
