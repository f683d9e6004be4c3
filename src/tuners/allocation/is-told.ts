import { isSampled } from '../../support/numbers.ts';
import { type AllocationSchedule, finalStep, maskingSteps } from './budget.ts';

/** Maximum number of allocations in a run's log, besides the final one. With `deltaT: 1` there are thousands. */
const MAX_TOLD = 64;

/**
 * Whether the log records the allocation at a masking step. It records all if there are few, otherwise the first, the
 * final one and evenly spaced ones between.
 */
export function isTold(step: number, schedule: AllocationSchedule): boolean {
  if (step >= finalStep(schedule)) return true;
  const { tinit, deltaT } = schedule;
  const count = Math.floor(step / deltaT) - Math.floor(tinit / deltaT);
  return isSampled(count, maskingSteps(schedule), MAX_TOLD);
}
