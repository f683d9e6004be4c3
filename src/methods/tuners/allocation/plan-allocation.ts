import type { LinearModule } from '../../../models/nn/network.ts';
import { elementCount } from '../../../support/element-count.ts';
import { UserError } from '../../../support/user-error.ts';
import { adaptedModules } from '../low-rank/adapted-modules.ts';
import type { AdapterSettings } from '../low-rank/adapter-config-shape.ts';
import type { PeftType } from '../low-rank/low-rank-kind.ts';
import { storedSize } from '../low-rank/peft-config.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import { savedParameters } from '../saved-parameters.ts';
import type { TunableModel } from '../tuner.ts';
import type { ScheduleConfig } from './allocation-config.ts';
import type { AllocationSchedule } from './budget.ts';
import type { BudgetConfig, Components } from './budget-config.ts';
import { type PromisedBudget, promisedBudget } from './promised-budget.ts';
import { resolveSchedule } from './resolve-schedule.ts';

/** A method with a budget. */
export interface AllocatingMethod {
  /** Its name in a config (`method`) and its display name (`title`). */
  method: string;
  title: string;
  /** What it keeps or drops. */
  components: Components;
  /** The modules that it adapts by default. */
  targets: readonly string[];
  /** Minimum rank of every module. Default: 0. */
  minRank?: number;
  /** The type of its stored adapters. */
  kind: PeftType;
}

export interface AllocationPlan {
  /** The layers to adapt (`modules`), and other parameters to train in full (`saved`). */
  modules: readonly LinearModule[];
  saved: readonly TrainedParameter[];
  budget: PromisedBudget;
  schedule: AllocationSchedule;
}

/**
 * Plans the budget and the schedule of a run of `totalSteps` optimizer steps.
 *
 * @throws UserError that lists all errors of modules, budget and schedule
 */
export function planAllocation(
  { method, title, components, targets, minRank = 0, kind }: AllocatingMethod,
  model: TunableModel,
  config: AdapterSettings & BudgetConfig & ScheduleConfig,
  totalSteps: number,
): AllocationPlan {
  const [{ modules, saved, budget }, schedule] = both(
    () => {
      const modules = adaptedModules(model, config, targets);
      const saved = savedParameters(model, config, modules);
      const fileBytes = storedSize(modules, saved, kind);
      const modelParameters = [...model.parameters.values()].reduce(
        (sum, shape) => sum + elementCount(shape),
        0,
      );
      const facts = { method, title, components, modules, modelParameters, fileBytes };
      const budget = promisedBudget(config, facts);
      if (budget.cost(modules.map(() => minRank)) > budget.target)
        throw new UserError({
          where: method,
          fault: `has a target below rank ${minRank} in each of ${modules.length} modules, which ${title} keeps at least`,
          hint: 'Raise the target.',
        });
      return { modules, saved, budget };
    },
    () => resolveSchedule(config, totalSteps, method),
  );
  return { modules, saved, budget, schedule };
}

/** Runs two independent functions. If both fail, the error contains both mistakes. */
function both<A, B>(first: () => A, second: () => B): [A, B] {
  const results = [first, second].map((work) => {
    try {
      return { value: work() };
    } catch (error) {
      if (error instanceof UserError) return { message: error.message };
      throw error;
    }
  });
  const messages = results.flatMap(({ message }) => message ?? []);
  if (messages.length > 0) throw new UserError(messages.join('\n'));
  return results.map(({ value }) => value) as [A, B];
}
