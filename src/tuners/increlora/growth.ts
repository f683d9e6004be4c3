import { UserError } from '../../support/user-error.ts';
import { type AllocationSchedule, finalStep } from '../allocation/budget.ts';
import { resolveSchedule } from '../allocation/resolve-schedule.ts';
import type { IncreLoraConfig } from './config.ts';

/** How ranks grow. */
export interface Growth {
  schedule: AllocationSchedule;
  /** Number of triplets over all modules at the end. */
  target: number;
  /** Number of modules that grow in a round, and number of triplets that each gains. */
  modules: number;
  gained: number;
  /** Whether the last round may exceed the target. */
  exceeds?: boolean;
}

/**
 * Plans the growth of `count` modules in a run.
 *
 * @throws UserError if the run is too short for its rounds
 */
export function growthOf(config: IncreLoraConfig, count: number, totalSteps: number): Growth {
  const { init_r, target_r, deltaT: everySteps, top_h } = config;
  const gained = config.incre_rank_num ?? Math.max(1, Math.round(target_r / 2));
  const modules = Math.min(top_h, count);
  const rounds = Math.ceil(((target_r - init_r) * count) / (modules * gained));
  const phases = resolveSchedule({ ...config, deltaT: everySteps ?? 1 }, totalSteps, 'increlora');
  const last = Math.min(finalStep(phases), totalSteps - 1);
  const even = Math.max(1, Math.floor((last - phases.tinit) / rounds));
  const schedule = { ...phases, deltaT: everySteps === undefined ? even : phases.deltaT };
  const { tinit, deltaT } = schedule;
  const possible = Math.floor(last / deltaT) - Math.floor(tinit / deltaT);
  const exceeds = config.last_round === 'whole';
  if (possible >= rounds) return { schedule, target: target_r * count, modules, gained, exceeds };
  throw new UserError({
    where: 'increlora.deltaT',
    fault: `leaves ${possible} rounds of growth between tinit and tfinal, but ${count} modules need ${rounds} from rank ${init_r} to ${target_r}`,
    hint: 'Raise top_h or incre_rank_num, lower deltaT, or train for more steps.',
  });
}

/** Whether ranks grow at a step. Steps count from 1; in the released code, they count from 0. */
export function growsAt(step: number, { tinit, deltaT }: AllocationSchedule): boolean {
  return step - 1 > tinit && (step - 1) % deltaT === 0;
}
