import type { StoredAdapter } from '../../formats/adapters/stored-adapter.ts';
import { type AllocatedMethod, AllocatedRun } from '../allocation/allocated-run.ts';
import { type BudgetConfig, withoutBudget } from '../allocation/budget-shape.ts';
import { keptCount } from '../allocation/kept-count.ts';
import { planAllocation } from '../allocation/plan-allocation.ts';
import type { ScheduleConfig } from '../allocation/schedule-shape.ts';
import type { AdapterSettings, ScaleConfig } from '../low-rank/adapter-config-shape.ts';
import { defaultTargets } from '../low-rank/default-targets.ts';
import { type Export, exportAdapter } from '../low-rank/export-adapter.ts';
import { factorName } from '../low-rank/factors.ts';
import type { LowRankTuner } from '../low-rank/low-rank-tuner.ts';
import { asStored } from '../low-rank/peft-adapter.ts';
import { adaLoraAlpha } from '../low-rank/scales.ts';
import type { TunableModel } from '../tuner.ts';
import type { AdaLoraTuner, TripletSettings } from './adalora-tuner.ts';

type AllocatedConfig = AdapterSettings &
  BudgetConfig &
  ScheduleConfig &
  ScaleConfig &
  TripletSettings &
  AllocatedMethod['settings'];

/** Stores the kept triplets as an adapter. */
type StoreTriplets = (
  made: Pick<Export, 'model' | 'config' | 'targets' | 'values' | 'baseModel'>,
  tuner: LowRankTuner,
) => StoredAdapter;

/**
 * A run that prunes triplets by a budget.
 *
 * @param create makes the tuner at the start, from the settings and the rank of every module
 * @param storeAs stores the kept triplets; by default as PEFT's AdaLoRA
 */
export function allocatedTriplets<Config extends AllocatedConfig>(
  { method, title }: { method: string; title: string },
  model: TunableModel,
  {
    settings,
    totalSteps,
    create,
    storeAs,
    minRank,
  }: {
    settings: Config;
    totalSteps: number;
    create: (config: Config & { init_r: number }) => AdaLoraTuner;
    storeAs?: StoreTriplets;
    /** Minimum rank of every module. Default: 0. */
    minRank?: number;
  },
): AllocatedRun {
  const targets = defaultTargets(model, 'many');
  const allocating = {
    method,
    title,
    components: 'triplets',
    targets,
    minRank,
    kind: storeAs ? 'LORA' : 'ADALORA',
  } as const;
  const { budget, schedule } = planAllocation(allocating, model, settings, totalSteps);
  // The budget's keys are not stored, because PEFT's `target_parameters` has another meaning.
  const config = { ...withoutBudget(settings), init_r: budget.initialRank };
  const lora_alpha = adaLoraAlpha(settings, budget.initialRank);
  return new AllocatedRun({
    ...{ method, settings, schedule, budget, minRank },
    tuner: create(config as Config & { init_r: number }),
    store({ tuner, keep, settled }, values, baseModel) {
      if (storeAs) return storeAs({ model, config, targets, values, baseModel }, tuner);
      const { modules, layout } = tuner;
      const flags = modules.map(
        ({ path }, k) => [factorName(path, 'E'), Array.from(keep[k]!, Boolean)] as const,
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
            // PEFT's `target_r` is an integer. It has no effect after ranks are final.
            target_r: wholeRank(settled ? kept / modules.length : budget.final.rank),
            rank_pattern: settled ? Object.fromEntries(flags) : null,
          },
        ),
      );
    },
  });
}

function wholeRank(mean: number): number {
  return Math.max(1, Math.round(mean));
}
