import { roundHalfEven } from '../../support/numbers.ts';
import { type AllocationSchedule, finalStep } from '../allocation/budget.ts';

/** How many ranks move at once. */
export interface Movement {
  b: number;
  schedule: 'cubic' | 'constant';
}

/** The number of ranks that move at a step. 0 at steps without a move. Steps count from 1. */
export function movedRanks(
  step: number,
  schedule: AllocationSchedule,
  { b, schedule: curve }: Movement,
): number {
  const { tinit, deltaT } = schedule;
  const end = finalStep(schedule);
  if (step <= tinit || step >= end || (step - tinit) % deltaT !== 0) return 0;
  if (curve === 'constant') return b;
  return roundHalfEven(b - b * ((step - tinit) / (end - tinit)) ** 3);
}

/** Whether no ranks move after this step. */
export function isLastMove(step: number, schedule: AllocationSchedule, movement: Movement): boolean {
  for (let later = step + 1; later < finalStep(schedule); later++)
    if (movedRanks(later, schedule, movement) > 0) return false;
  return true;
}
