import { InvalidConfig } from '../../../support/user-error.ts';
import { type ScheduleConfig, TFINAL, TINIT } from './allocation-config.ts';
import { type AllocationSchedule, finalStep } from './budget.ts';

type Phases = Pick<ScheduleConfig, 'tinit' | 'tfinal'>;

/**
 * The phases of a run of `totalStep` optimizer steps, in steps. Shares are rounded down (`deltaT` to at least 1).
 *
 * @param method the section's name, for messages
 * @throws UserError if no step is left for the budgeting phase
 */
export function resolveSchedule(
  config: Pick<ScheduleConfig, 'tinit' | 'tfinal' | 'deltaT'>,
  totalStep: number,
  method: string,
): AllocationSchedule {
  const schedule = {
    ...phases(config, totalStep),
    deltaT: Math.max(1, inSteps(config.deltaT, totalStep)),
    totalStep,
  };
  const end = finalStep(schedule);
  if (end <= schedule.tinit) {
    throw new InvalidConfig({
      where: `${method}.tinit, ${method}.tfinal`,
      fault: `leave no step to allocate the budget: tinit + tfinal must be less than ${totalStep} (the steps of this run), got ${schedule.tinit} + ${schedule.tfinal} = ${schedule.tinit + schedule.tfinal}`,
      hint: 'Lower tinit or tfinal (shares such as 10% follow the length of the run), or train for more steps.',
    });
  }
  if (end < 2) {
    throw new InvalidConfig({
      where: `${method}.tfinal`,
      fault: `puts the final allocation at step ${end} of ${totalStep}, with no step before it to measure importance`,
      hint: totalStep < 2 ? 'Train for more steps.' : `Set ${method}.tfinal to at most ${totalStep - 2}.`,
    });
  }
  return schedule;
}

/**
 * Fills in the phases that the config omits. Each is a share of the run, but at most half of the steps outside the
 * given phase, so that the budget can decrease in the rest.
 */
function phases({ tinit, tfinal }: Phases, totalStep: number): { tinit: number; tfinal: number } {
  const share = (percent: number, given: number) =>
    Math.max(0, Math.floor(Math.min((totalStep * percent) / 100, (totalStep - given) / 2)));
  const before = tinit === undefined ? undefined : inSteps(tinit, totalStep);
  const after = tfinal === undefined ? share(TFINAL, before ?? 0) : inSteps(tfinal, totalStep);
  return { tinit: before ?? share(TINIT, tfinal === undefined ? 0 : after), tfinal: after };
}

/** A notice about the phases that a config omits. Undefined if it sets both. */
export function assumedPhases(config: Phases, schedule: AllocationSchedule): string | undefined {
  const left = (['tinit', 'tfinal'] as const).filter((key) => config[key] === undefined);
  if (left.length === 0) return undefined;
  const used = left.map((key) => `${key} = ${schedule[key]}`).join(' and ');
  return `The config does not set ${left.join(' and ')}. Using ${used} of ${schedule.totalStep} steps.`;
}

function inSteps(value: number | string, totalStep: number): number {
  return typeof value === 'number' ? value : Math.floor((totalStep * Number.parseFloat(value)) / 100);
}
