import { isSampled } from '../../support/is-sampled.ts';
import { type AllocationSchedule, finalStep, maskingSteps } from './budget.ts';

/** Allocations of a run that its log tells of, beside the final one: with `deltaT: 1` there are thousands. */
const MOST_TOLD = 64;

/**
 * Whether a run tells of the allocation at a masking step: of every one when there are few, else of the first, the final
 * one and some evenly between.
 */
export function isTold(step: number, schedule: AllocationSchedule): boolean {
  if (step >= finalStep(schedule)) return true;
  const { tinit, deltaT } = schedule;
  const count = Math.floor(step / deltaT) - Math.floor(tinit / deltaT);
  return isSampled(count, maskingSteps(schedule), MOST_TOLD);
}
