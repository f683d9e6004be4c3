import { alongCurve, type Curve } from './curves.ts';

/** The phases of a run, in optimizer steps. */
export interface AllocationSchedule {
  /** Steps before the budget begins to fall. */
  tinit: number;
  /** Steps after the final pattern is chosen. */
  tfinal: number;
  /** Triplets are masked at the steps of the budgeting phase that this divides. */
  deltaT: number;
  /** Optimizer steps of the whole run. */
  totalStep: number;
}

export interface BudgetSettings extends AllocationSchedule {
  /** Triplets at the start, over all modules. */
  initialBudget: number;
  /** Triplets in the end. */
  targetBudget: number;
  /** How it falls; a function gives the budget after a step of the budgeting phase. Left out: with the cube. */
  curve?: Curve | BudgetFunction;
}

/** The budget after a step, from 1. What it gives is kept between 0 and the initial budget. */
export type BudgetFunction = (step: number) => number;

/**
 * How many triplets may be kept after `step` (from 1): level until `tinit`, falling (with the cube, if nothing
 * else is said) until `totalStep - tfinal`, level again. Truncated to an integer as in PEFT. Equation 14 of the paper, but for a
 * slip there: as printed it exceeds the initial budget.
 */
export function budgetAt(step: number, settings: BudgetSettings): number {
  const { initialBudget, targetBudget, tinit, curve = 'cubic' } = settings;
  const end = finalStep(settings);
  if (step <= tinit) return initialBudget;
  if (step >= end) return targetBudget;
  if (typeof curve === 'function') return Math.trunc(Math.min(initialBudget, Math.max(0, curve(step))));
  const share = (step - tinit) / (end - tinit);
  return Math.trunc(alongCurve(curve, share, initialBudget, targetBudget));
}

/** The step at which the pattern is fixed: the last masking step. */
export function finalStep({ totalStep, tfinal }: AllocationSchedule): number {
  return totalStep - tfinal;
}

/**
 * Whether triplets are masked at `step`, as PEFT does: at multiples of `deltaT` counted from the start of the run
 * (not of the phase) inside the budgeting phase, and always at its end.
 */
export function masksAt(step: number, schedule: AllocationSchedule): boolean {
  const end = finalStep(schedule);
  return step === end || (step > schedule.tinit && step < end && step % schedule.deltaT === 0);
}

/** How many steps of the run mask triplets. */
export function maskingSteps(schedule: AllocationSchedule): number {
  const { tinit, deltaT } = schedule;
  return Math.floor((finalStep(schedule) - 1) / deltaT) - Math.floor(tinit / deltaT) + 1;
}
