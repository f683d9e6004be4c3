import { isOwnFunction, type OwnFunctionName } from '../own-function.ts';
import { alongCurve, type Curve } from './curves.ts';

/** The phases of a run, in optimizer steps. */
export interface AllocationSchedule {
  /** Number of steps before the budget begins to decrease. */
  tinit: number;
  /** Number of steps after the final pattern is chosen. */
  tfinal: number;
  /** In the budgeting phase, triplets are masked at multiples of this step. */
  deltaT: number;
  /** Number of optimizer steps in the whole run. */
  totalStep: number;
}

export interface BudgetSettings extends AllocationSchedule {
  /** Number of triplets at the start, over all modules. */
  initialBudget: number;
  /** Number of triplets at the end. */
  targetBudget: number;
  /** The curve of the budget. A function returns the budget after a step of the budgeting phase. Default: cubic. */
  curve?: Curve | BudgetFunction | OwnFunctionName;
}

/** Returns the budget after a step (from 1). Its result is clamped to [0, initial budget]. */
export type BudgetFunction = (step: number) => number;

/**
 * The number of triplets that may be kept after `step` (from 1). It is constant until `tinit`, decreases until
 * `totalStep - tfinal` (by default cubically), and is constant again. It is truncated to an integer as in PEFT. This is
 * equation 14 of the paper with a correction: as printed, it exceeds the initial budget.
 */
export function budgetAt(step: number, settings: BudgetSettings): number {
  const { initialBudget, targetBudget, tinit, curve = 'cubic' } = settings;
  const end = finalStep(settings);
  if (step <= tinit) return initialBudget;
  if (step >= end) return targetBudget;
  if (typeof curve === 'function') return Math.trunc(Math.min(initialBudget, Math.max(0, curve(step))));
  if (isOwnFunction(curve)) throw new Error(`budgetAt: ${curve} is the name of a function`);
  const share = (step - tinit) / (end - tinit);
  return Math.trunc(alongCurve(curve, share, initialBudget, targetBudget));
}

/** The step at which the pattern becomes final. It is the last masking step. */
export function finalStep({ totalStep, tfinal }: AllocationSchedule): number {
  return totalStep - tfinal;
}

/**
 * Whether triplets are masked at `step`. As in PEFT, they are masked in the budgeting phase at multiples of `deltaT`,
 * and always at the end of that phase. Multiples are counted from the start of the run.
 */
export function masksAt(step: number, schedule: AllocationSchedule): boolean {
  const end = finalStep(schedule);
  return step === end || (step > schedule.tinit && step < end && step % schedule.deltaT === 0);
}

/** The number of masking steps in the run. */
export function maskingSteps(schedule: AllocationSchedule): number {
  const { tinit, deltaT } = schedule;
  return Math.floor((finalStep(schedule) - 1) / deltaT) - Math.floor(tinit / deltaT) + 1;
}
