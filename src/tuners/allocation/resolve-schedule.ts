import { UserError } from '../../support/user-error.ts';
import { type AllocationSchedule, finalStep } from './budget.ts';
import type { AdaLoraConfig } from './config.ts';

type ScheduleConfig = Pick<AdaLoraConfig, 'init_r' | 'target_r' | 'tinit' | 'tfinal' | 'deltaT'>;

/**
 * The phases of a run of `totalStep` optimizer steps in counts. Shares are rounded down (`deltaT` to at least 1).
 *
 * @throws UserError when nothing would be pruned (`target_r >= init_r`) or no budgeting phase is left
 */
export function resolveSchedule(config: ScheduleConfig, totalStep: number): AllocationSchedule {
  const { init_r, target_r } = config;
  if (target_r >= init_r) {
    throw new UserError({
      where: 'adalora.target_r',
      expected: `less than init_r (${init_r}), for AdaLoRA prunes from init_r down to target_r`,
      got: `${target_r}`,
      hint: `Set adalora.init_r to about ${Math.ceil(1.5 * target_r)}, or train with lora at rank ${target_r}.`,
    });
  }
  const schedule = {
    tinit: inSteps(config.tinit, totalStep),
    tfinal: inSteps(config.tfinal, totalStep),
    deltaT: Math.max(1, inSteps(config.deltaT, totalStep)),
    totalStep,
  };
  const end = finalStep(schedule);
  if (end <= schedule.tinit) {
    throw new UserError({
      where: 'adalora.tinit, adalora.tfinal',
      expected: `room for a budgeting phase, tinit + tfinal < ${totalStep} (the steps of this run)`,
      got: `${schedule.tinit} + ${schedule.tfinal} = ${schedule.tinit + schedule.tfinal}`,
      hint: 'Lower tinit or tfinal (shares such as 10% follow the length of the run), or train for more steps.',
    });
  }
  if (end < 2) {
    throw new UserError({
      where: 'adalora.tfinal',
      expected: `at least one step before the final allocation, to measure importance`,
      got: `the final allocation at step ${end} of ${totalStep}`,
      hint: totalStep < 2 ? 'Train for more steps.' : `Set adalora.tfinal to at most ${totalStep - 2}.`,
    });
  }
  return schedule;
}

function inSteps(value: number | string, totalStep: number): number {
  return typeof value === 'number' ? value : Math.floor((totalStep * Number.parseFloat(value)) / 100);
}
