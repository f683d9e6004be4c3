import { type Interval, interval } from '../../../scores/stats/interval.ts';
import { meanSeries, type Point, type Series } from '../../../scores/stats/series.ts';
import type { RunGroup } from './group-runs.ts';
import type { RunRecord } from './run-record.ts';

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
