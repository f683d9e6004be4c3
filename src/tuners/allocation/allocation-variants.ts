import { isOwnFunction } from '../own-function.ts';

/** Keys that limit the ranks of modules. */
export const LIMIT_KEYS = ['min_rank', 'max_rank', 'quotas'] as const;

/** Describes the settings of the budget's schedule and limits that differ from the usual ones. */
export function allocationVariants(settings: Readonly<Record<string, unknown>>): string[] {
  const { schedule = 'cubic' } = settings;
  return [
    ...(schedule === 'cubic' ? [] : [isOwnFunction(schedule) ? 'own schedule' : `${schedule} schedule`]),
    ...(LIMIT_KEYS.some((key) => settings[key] !== undefined) ? ['limited ranks'] : []),
  ];
}
