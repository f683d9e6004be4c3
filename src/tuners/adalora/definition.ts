import { AllocatedRun } from '../allocation/allocated-run.ts';
import { allocationVariants, LIMIT_KEYS } from '../allocation/allocation-variants.ts';
import type { ScoreName } from '../allocation/allocator.ts';
import { BUDGET_KEYS, withoutBudget } from '../allocation/budget-shape.ts';
import { budgetSummary } from '../allocation/budget-summary.ts';
import { keptCount } from '../allocation/kept-count.ts';
import { planAllocation } from '../allocation/plan-allocation.ts';
import { continuesLowRank } from '../low-rank/continues-low-rank.ts';
import { defaultTargets } from '../low-rank/default-targets.ts';
import { exportAdapter } from '../low-rank/export-adapter.ts';
import { factorName } from '../low-rank/factors.ts';
import { asStored } from '../low-rank/peft-adapter.ts';
import { adaLoraAlpha } from '../low-rank/scales.ts';
import { importanceVariant, withVariants } from '../low-rank/variants.ts';
import type { MethodDefinition } from '../method-definition.ts';
import { isOwnFunction } from '../own-function.ts';
import { adaLoraKind, importedAdaLora } from './adalora-kind.ts';
import { AdaLoraTuner } from './adalora-tuner.ts';
import { type AdaLoraConfig, adaLoraConfigSchema } from './config.ts';
import { tripletTerm } from './triplet-term.ts';
import { tripletVariants } from './triplet-variants.ts';

const NAMES = { method: 'adalora', title: 'AdaLoRA', components: 'triplets' } as const;
const { method: METHOD, title: TITLE } = NAMES;

/** AdaLoRA (Zhang et al., ICLR 2023), with the keys and files of PEFT. */
export const adaLora: MethodDefinition<AdaLoraConfig, typeof adaLoraConfigSchema> = {
  config: adaLoraConfigSchema,
  learningRate: 2e-3,
  chosen: { encoder: { rate: 5e-3, lora_alpha: 32 }, language: { rate: 1e-3, lora_alpha: 32 } },
  trains: 'adapter',
  // Two averages of importance, beside the vectors of every method.
  vectors: 7,
  start(model, settings, totalSteps) {
    const targets = defaultTargets(model, 'many');
    const allocating = {
      ...NAMES,
      targets,
      kind: 'ADALORA',
    } as const;
    const { budget, schedule } = planAllocation(allocating, model, settings, totalSteps);
    // PEFT also has a target_parameters, with another meaning.
    const config = { ...withoutBudget(settings), init_r: budget.initialRank };
    const lora_alpha = adaLoraAlpha(settings, budget.initialRank);
    return new AllocatedRun({
      method: METHOD,
      tuner: AdaLoraTuner.create(model, config),
      settings,
      schedule,
      budget,
      store({ tuner: { modules, layout }, keep, settled }, values, baseModel) {
        const flags = modules.map(
          ({ path }, k) => [factorName(path, 'E'), Array.from(keep[k], Boolean)] as const,
        );
        const { totalStep, ...steps } = schedule;
        const kept = keep.reduce((sum, module) => sum + keptCount(module), 0);
        return asStored(
          exportAdapter(
            { model, config: { ...config, lora_alpha }, targets, modules, layout, values, baseModel },
            {
              peft_type: 'ADALORA',
              ...steps,
              total_step: totalStep,
              // PEFT's is an integer, which has no effect once ranks are final.
              target_r: wholeRank(settled ? kept / modules.length : budget.final.rank),
              rank_pattern: settled ? Object.fromEntries(flags) : null,
            },
          ),
        );
      },
    });
  },
  kind: adaLoraKind,
  continues: continuesLowRank({
    method: METHOD,
    schema: adaLoraConfigSchema,
    // The file's alpha already includes the scale of the original run.
    known: (start) => ({ ...start, scale: 'standard' }),
    imported: importedAdaLora,
    meaningless: [...BUDGET_KEYS, 'score', 'grow', 'init', 'importance_timing', ...LIMIT_KEYS, 'schedule'],
    notices: ["Training continues with the adapter's triplets. Their ranks do not change."],
  }),
  words: {
    title: TITLE,
    titleWith: ({ score, grow, ...settings }) =>
      withVariants(TITLE, [
        isOwnFunction(score) ? 'own score' : (SCORES[score as ScoreName] ?? []),
        ...allocationVariants(settings),
        importanceVariant(settings),
        grow === true ? 'growing' : [],
        tripletVariants(settings),
      ]),
    tags: ['peft', 'adalora'],
    library: 'peft',
    components: NAMES.components,
    summary: (settings) => budgetSummary(settings, NAMES.components),
    budgetKeys: BUDGET_KEYS,
    factors: ['P', 'Q'],
    regularizer: tripletTerm,
  },
};

/** The paper's names of its ablations (table 4), and our score in the same notation. */
const SCORES: Readonly<Record<ScoreName, string | undefined>> = {
  'sensitivity-uncertainty': undefined,
  sensitivity: 's = I',
  magnitude: 's = |λ|',
  'signal-to-noise': 's = Ī / Ū',
};

function wholeRank(mean: number): number {
  return Math.max(1, Math.round(mean));
}
