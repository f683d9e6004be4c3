import { isOwnFunction } from '../own-function.ts';

/** Describes the settings of the budget's schedule that differ from the usual ones. */
export function allocationVariants(settings: Readonly<Record<string, unknown>>): string[] {
  const { schedule = 'cubic' } = settings;
  if (schedule === 'cubic') return [];
  return [isOwnFunction(schedule) ? 'own schedule' : `${schedule} schedule`];
}
