import type { LinearModule } from '../../../models/nn/network.ts';
import { elementCount } from '../../../support/arrays.ts';
import { largest } from '../../../support/numbers.ts';
import { attemptAll, InvalidConfig } from '../../../support/user-error.ts';
import type { AdapterSettings } from '../low-rank/peft-config.ts';
import type { TrainedParameter } from '../parameter-layout.ts';
import { MAX_RANK } from '../peft/settings.ts';
import { adaptedModules } from '../targets/adapted-modules.ts';
import type { TunableModel } from '../tuner.ts';
import { savedParameters } from '../whole-parameters.ts';
import type { Cost } from './allocate.ts';
import {
  type Amount,
  type BudgetConfig,
  type BudgetForms,
  type BudgetKey,
  type BudgetUnit,
  type Components,
  type GivenBudget,
  givenBudget,
  INITIAL_KEYS,
  INITIAL_OVER_TARGET,
  initialRank,
  inUnit,
  readUnit,
  TARGET_KEYS,
} from './budget.ts';
import { type AllocationSchedule, resolveSchedule, type ScheduleConfig } from './schedule.ts';

/** Converts between ranks and their cost in each unit. Costs are linear in the rank. */
export class BudgetCosts {
  readonly of: Readonly<Record<BudgetUnit, Cost>>;
  readonly #modules: readonly { inFeatures: number; outFeatures: number }[];

  constructor(modules: readonly { inFeatures: number; outFeatures: number }[]) {
    this.#modules = modules;
    this.of = {
      components: (ranks) => ranks.reduce((a, b) => a + b, 0),
      parameters: (ranks) =>
        ranks.reduce((sum, rank, k) => sum + rank * (modules[k]!.inFeatures + modules[k]!.outFeatures), 0),
    };
  }

  /** The cost if every module has the same rank. */
  everywhere(unit: BudgetUnit, rank: number): number {
    return this.of[unit](this.#modules.map(() => rank));
  }

  /** The largest cost of a single component, over all modules. */
  ofOne(unit: BudgetUnit): number {
    return largest(this.#modules.map((_, k) => this.of[unit](this.#modules.map((_, i) => Number(i === k)))));
  }

  /** The rank, not rounded, at which all modules together have this cost. */
  rankFor(unit: BudgetUnit, amount: number): number {
    return amount / this.everywhere(unit, 1);
  }

  /** Converts a mean rank to all units, as if every module had this rank. */
  forms(rank: number): BudgetForms {
    const at = (unit: BudgetUnit) => Math.round(rank * this.everywhere(unit, 1));
    return { rank, components: at('components'), parameters: at('parameters') };
  }
}

/** The final budget of a run, and its initial rank. */
export interface PromisedBudget {
  /** The unit of `target`. */
  unit: BudgetUnit;
  /** The budget, an integer. The run never exceeds it. */
  target: number;
  cost: Cost;
  components: Components;
  /** Initial rank of every module. */
  initialRank: number;
  initial: BudgetForms;
  /** The final budget in every unit. It is exact in `unit`. The other values assume the same rank for all modules. */
  final: BudgetForms;
  /** Sentences about rounding. */
  rounded: string[];
}

/** The facts that a budget depends on. */
interface BudgetInputs {
  /** The method's name in a config (`method`) and its display name (`title`). */
  method: string;
  title: string;
  /** The units that are kept or dropped. */
  components: Components;
  modules: readonly { inFeatures: number; outFeatures: number }[];
  /** Number of parameters of the base model, including its head. */
  modelParameters: number;
}

/**
 * Converts a config's budget for a model. The target is rounded down to whole components or numbers, and the
 * initial rank is rounded up. So the target is never exceeded.
 *
 * @throws UserError for a target that keeps nothing, or is not below the initial budget
 */
export function promisedBudget(config: BudgetConfig, facts: BudgetInputs): PromisedBudget {
  const { modules, modelParameters, components } = facts;
  const costs = new BudgetCosts(modules);
  const amountOf = (given: GivenBudget) =>
    inUnit(given, { matrices: modules.length, modelParameters, components });
  const end = givenBudget(config, TARGET_KEYS);
  if (!end) throw new Error(`${facts.method} has no target`);
  const unit = readUnit(end);
  const wanted = amountOf(end);
  const target = Math.floor(wanted.amount);
  const mean = costs.rankFor(unit, target);

  const start = givenBudget(config, INITIAL_KEYS);
  const [rank, note] = start ? startingRank(readUnit(start), amountOf(start), costs) : defaultRank(mean);
  if (rank > MAX_RANK) {
    const where = `${facts.method}.${start?.key ?? end.key}`;
    throw new InvalidConfig({
      where: `${where}: ${(start ?? end).value}`,
      fault: `means rank ${rank} in every matrix; the maximum is ${MAX_RANK}`,
    });
  }
  refuseTooLittle({ ...end, unit, target }, costs, facts);
  refuseTooMuch({ ...end, unit, target, mean }, { key: start?.key ?? 'init_r', rank }, costs, facts);
  return {
    unit,
    target,
    cost: costs.of[unit],
    components,
    initialRank: rank,
    initial: costs.forms(rank),
    final: { ...costs.forms(mean), [unit]: target },
    rounded: [...(target === wanted.amount ? [] : [`${wanted.text}, rounded down`]), ...note],
  };
}

/** The lowest rank of all modules that reaches the amount, and a sentence about rounding. */
function startingRank(unit: BudgetUnit, { amount, text }: Amount, costs: BudgetCosts): [number, string[]] {
  const rank = Math.max(1, Math.ceil(costs.rankFor(unit, amount) - 1e-9));
  const isEven = costs.everywhere(unit, rank) === amount;
  return [rank, isEven ? [] : [`${text}, rounded up to rank ${rank} in every matrix`]];
}

function defaultRank(meanTarget: number): [number, string[]] {
  const rank = initialRank(meanTarget);
  const isEven = rank === INITIAL_OVER_TARGET * meanTarget;
  return [rank, isEven ? [] : [`init_r: ${INITIAL_OVER_TARGET} times the target, rounded up to ${rank}`]];
}

interface Target extends GivenBudget {
  unit: BudgetUnit;
  target: number;
}

/**
 * Checks that the target pays for at least one component of the largest matrix. If the most important component belongs
 * to that matrix, nothing could be kept otherwise.
 */
function refuseTooLittle(
  { key, value, unit, target }: Target,
  costs: BudgetCosts,
  facts: BudgetInputs,
): void {
  const least = costs.ofOne(unit);
  if (target >= least) return;
  const what = {
    components: facts.components,
    parameters: `parameters, one of the ${facts.components} of the largest matrix`,
  }[unit];
  throw new InvalidConfig({
    where: `${facts.method}.${key}`,
    fault: `must be at least ${least === 1 ? 'one of the' : least} ${what}, got ${typeof value === 'number' && value !== target ? `${value} (${target})` : value}`,
  });
}

function refuseTooMuch(
  { key, value, unit, target, mean }: Target & { mean: number },
  start: { key: BudgetKey; rank: number },
  costs: BudgetCosts,
  { method, title, components }: BudgetInputs,
): void {
  const most = costs.everywhere(unit, start.rank);
  if (target < most) return;
  const amount = `${most} ${unit === 'components' ? components : unit}, `;
  const rank = start.key === 'init_r' ? `init_r (${start.rank})` : `rank ${start.rank} everywhere`;
  throw new InvalidConfig({
    where: `${method}.${key}`,
    fault: `must be less than ${typeof value === 'number' ? '' : amount}${rank}, because ${title} prunes from ${start.key} down to ${key}, got ${value}`,
    hint: `Set ${method}.init_r to about ${initialRank(mean)}, or train with lora at rank ${Math.max(1, Math.round(mean))}.`,
  });
}

/** A method with a budget. */
interface AllocatingMethod {
  /** Its name in a config (`method`) and its display name (`title`). */
  method: string;
  title: string;
  /** The things that it keeps or drops. */
  components: Components;
  /** Minimum rank of every module. Default: 0. */
  minRank?: number;
}

interface AllocationPlan {
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
  { method, title, components, minRank = 0 }: AllocatingMethod,
  model: TunableModel,
  config: AdapterSettings & BudgetConfig & ScheduleConfig,
  totalSteps: number,
): AllocationPlan {
  const [plan, schedule] = attemptAll([
    () => {
      const modules = adaptedModules(model, config);
      const saved = savedParameters(model, config, modules);
      const modelParameters = [...model.parameters.values()].reduce(
        (sum, shape) => sum + elementCount(shape),
        0,
      );
      const facts = { method, title, components, modules, modelParameters };
      const budget = promisedBudget(config, facts);
      if (budget.cost(modules.map(() => minRank)) > budget.target)
        throw new InvalidConfig({
          where: method,
          fault: `has a target below rank ${minRank} in each of ${modules.length} modules, which ${title} keeps at least`,
          hint: 'Raise the target.',
        });
      return { modules, saved, budget };
    },
    () => resolveSchedule(config, totalSteps, method),
  ]);
  return { ...plan, schedule };
}
