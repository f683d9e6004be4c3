import { UserError } from '../../support/user-error.ts';
import { type AllocationSchedule, finalStep } from './budget.ts';
import type { ScheduleConfig } from './schedule-shape.ts';

/**
 * The phases of a run of `totalStep` optimizer steps in counts. Shares are rounded down (`deltaT` to at least 1).
 *
 * @param method the section's name, for messages
 * @throws UserError when no budgeting phase is left
 */
export function resolveSchedule(
  config: Pick<ScheduleConfig, 'tinit' | 'tfinal' | 'deltaT'>,
  totalStep: number,
  method: string,
): AllocationSchedule {
  const schedule = {
    tinit: inSteps(config.tinit, totalStep),
    tfinal: inSteps(config.tfinal, totalStep),
    deltaT: Math.max(1, inSteps(config.deltaT, totalStep)),
    totalStep,
  };
  const end = finalStep(schedule);
  if (end <= schedule.tinit) {
    throw new UserError({
      where: `${method}.tinit, ${method}.tfinal`,
      expected: `room for a budgeting phase, tinit + tfinal < ${totalStep} (the steps of this run)`,
      got: `${schedule.tinit} + ${schedule.tfinal} = ${schedule.tinit + schedule.tfinal}`,
      hint: 'Lower tinit or tfinal (shares such as 10% follow the length of the run), or train for more steps.',
    });
  }
  if (end < 2) {
    throw new UserError({
      where: `${method}.tfinal`,
      expected: `at least one step before the final allocation, to measure importance`,
      got: `the final allocation at step ${end} of ${totalStep}`,
      hint: totalStep < 2 ? 'Train for more steps.' : `Set ${method}.tfinal to at most ${totalStep - 2}.`,
    });
  }
  return schedule;
}

function inSteps(value: number | string, totalStep: number): number {
  return typeof value === 'number' ? value : Math.floor((totalStep * Number.parseFloat(value)) / 100);
}
