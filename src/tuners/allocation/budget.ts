import { isOwnFunction, type OwnFunctionName } from '../own-function.ts';
import { alongCurve, type Curve } from './curves.ts';

/** The phases of a run, in optimizer steps. */
export interface AllocationSchedule {
  /** Steps before the budget begins to fall. */
  tinit: number;
  /** Steps after the final pattern is chosen. */
  tfinal: number;
  /** In the budgeting phase, triplets are masked at multiples of this step. */
  deltaT: number;
  /** Optimizer steps of the whole run. */
  totalStep: number;
}

export interface BudgetSettings extends AllocationSchedule {
  /** Triplets at the start, over all modules. */
  initialBudget: number;
  /** Triplets at the end. */
  targetBudget: number;
  /** The curve of the budget; a function returns the budget after a step of the budgeting phase. Default: cubic. */
  curve?: Curve | BudgetFunction | OwnFunctionName;
}

/** The budget after a step, from 1. Its result is clamped to [0, initial budget]. */
export type BudgetFunction = (step: number) => number;

/**
 * The number of triplets that may be kept after `step` (from 1): constant until `tinit`, falling until `totalStep -
 * tfinal` (by default with the cube), then constant. Truncated to an integer as in PEFT. This is equation 14 of the
 * paper, corrected: as printed, it exceeds the initial budget.
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

/** The step at which the pattern becomes final: the last masking step. */
export function finalStep({ totalStep, tfinal }: AllocationSchedule): number {
  return totalStep - tfinal;
}

/**
 * Whether triplets are masked at `step`. As in PEFT, at multiples of `deltaT` counted from the start of the run (not
 * of the phase) inside the budgeting phase, and always at its end.
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
