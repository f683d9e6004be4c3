import { type AllocationSchedule, finalStep, maskingSteps } from './budget.ts';

/** Allocations of a run that its log tells of, beside the final one: with `deltaT: 1` there are thousands. */
const MOST_TOLD = 64;

/**
 * Whether a run tells of the allocation at a masking step: of every one when there are few, else of the first, the final
 * one and some evenly between. The step alone decides, so that a resumed run tells of the same ones.
 */
export function isTold(step: number, schedule: AllocationSchedule): boolean {
  if (step >= finalStep(schedule)) return true;
  const { tinit, deltaT } = schedule;
  const count = Math.floor(step / deltaT) - Math.floor(tinit / deltaT);
  const share = Math.min(1, MOST_TOLD / maskingSteps(schedule));
  return Math.ceil(count * share) > Math.ceil((count - 1) * share);
}
