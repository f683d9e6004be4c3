import { METHOD_NAMES, methodNamed } from '../../../methods/tuners/registry.ts';
import { type Interval, interval } from '../../../scores/stats/interval.ts';
import { meanSeries, type Point, type Series } from '../../../scores/stats/series.ts';
import type { RunGroup } from './group-runs.ts';
import { finalParameters, newestRanks, type RunRecord } from './run-record.ts';

/** A quantity that measures a budget. */
export interface BudgetMeasure {
  /** The quantity's name on an axis (`name`) and in a sentence (`text`). */
  name: string;
  text: string;
  /** Returns a run's final budget; undefined if it has none, or does not record it. */
  of(run: RunRecord): number | undefined;
}

const PARAMETERS: BudgetMeasure = {
  name: 'parameters',
  text: 'in trained parameters of the adapter at the end',
  of: (run) => finalParameters(run) || undefined,
};

const MEAN_RANK: BudgetMeasure = {
  name: 'mean rank',
  text: 'as mean rank at the end',
  of(run) {
    const ranks = Object.values(newestRanks(run));
    return ranks.length === 0 ? undefined : ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length;
  },
};

/**
 * The quantity for comparing the budgets of these runs: the number of parameters. If a run with ranks does not record
 * its parameters, it is the mean rank.
 */
export function budgetMeasure(runs: readonly RunRecord[]): BudgetMeasure {
  const isTold = runs.every((run) => MEAN_RANK.of(run) === undefined || PARAMETERS.of(run) !== undefined);
  return isTold ? PARAMETERS : MEAN_RANK;
}

/** Whether a setting, by its dotted key, controls how much a method trains. */
export function isBudgetKey(key: string): boolean {
  const [section, name] = key.split('.') as [string, string];
  const method = METHOD_NAMES.find((method) => method === section);
  return method !== undefined && (methodNamed(method).words.budgetKeys?.includes(name) ?? false);
}

/** Mean and interval of a number over the runs of a group that have it. Undefined if no run has it. */
export function groupInterval(
  group: RunGroup,
  of: (run: RunRecord) => number | undefined,
): Interval | undefined {
  const values = group.runs.map(of).filter((value) => value !== undefined && Number.isFinite(value));
  return values.length === 0 ? undefined : interval(values as number[]);
}

/** Mean and interval of a curve over a group's runs. */
export function groupSeries(group: RunGroup, of: (run: RunRecord) => readonly Point[]): Series {
  return meanSeries(group.runs.map(of));
}

/**
 * Formats an interval as `mean ± half unit`; `show` formats the numbers. Shows only the mean if all runs have the same
 * value.
 */
export function intervalText(
  value: Interval | undefined,
  show: (value: number) => string,
  unit = '',
): string {
  if (!value) return '–';
  return `${show(value.mean)}${value.half ? ` ± ${show(value.half)}` : ''}${unit}`;
}
