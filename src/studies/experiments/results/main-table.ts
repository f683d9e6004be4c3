import { mean } from '../../../support/numbers.ts';
import { counted, duration } from '../../report/format.ts';
import type { RowResult, TaskResult } from './results.ts';

export interface ExperimentResults {
  title: string;
  /** Notes for the tables: model, versions, settings of all rows, how grids were tried. */
  about: string[];
  /** Versions of the program, the engine and Node. */
  versions: Record<string, string>;
  /** The seeds of every row. */
  seeds: readonly number[];
  tasks: TaskResult[];
  /** A row's mean over all tasks, as printed, if it is shown. If a task has several scores, their mean is used. */
  average?: Record<string, { mean?: number; paper?: number }>;
}

function rowNames(tasks: readonly TaskResult[]): string[] {
  return [...new Set(tasks.flatMap(({ rows }) => rows.map(({ row }) => row)))];
}

/** The mean over all tasks, for each row that has results for all of them. */
export function averages(tasks: readonly TaskResult[]): Record<string, { mean?: number }> {
  return Object.fromEntries(
    rowNames(tasks).map((name) => {
      const means = tasks.map(({ rows, scores, scales }) => {
        const row = rows.find(({ row }) => row === name);
        return row ? mean(scores.map((score) => scales[score]! * row.scores[score]!.mean)) : Number.NaN;
      });
      const whole = mean(means);
      return [name, Number.isFinite(whole) ? { mean: whole } : {}];
    }),
  );
}

/**
 * The cells of the main table, header first. Each row has a column per task (mean ± deviation of its scores),
 * the average, and the costs over all tasks.
 */
export function mainTable({ tasks, average }: ExperimentResults): string[][] {
  const names = rowNames(tasks);
  const head = [
    'row',
    ...tasks.map(({ task, scores }) => `${task} (${scores.join('/')})`),
    ...(average ? ['Ave.'] : []),
    ...['parameters', 'time', 'memory'],
  ];
  return [
    head,
    ...names.map((name) => {
      const cells = tasks.map((task) => ({ ...task, row: task.rows.find(({ row }) => row === name) }));
      const taskRows = cells.flatMap(({ row }) => row ?? []);
      return [
        name,
        ...cells.map(({ row, scales }) => (row ? scoresText(row, scales) : '')),
        ...(average ? [averageText(average[name])] : []),
        parametersText(taskRows),
        timeText(taskRows),
        memoryText(taskRows),
      ];
    }),
  ];
}

function scoresText({ scores }: RowResult, scales: Readonly<Record<string, number>>): string {
  return Object.entries(scales)
    .map(([name, scale]) => {
      const { mean, deviation } = scores[name]!;
      const [value, spread] = [mean, deviation ?? Number.NaN].map((number) => (scale * number).toFixed(2));
      return deviation === undefined ? value : `${value} ± ${spread}`;
    })
    .join(' / ');
}

function averageText(value: { mean?: number; paper?: number } | undefined): string {
  if (value?.mean === undefined) return '';
  const paper = value.paper === undefined ? '' : ` (paper ${value.paper.toFixed(2)})`;
  return `${value.mean.toFixed(2)}${paper}`;
}

/** The number of trained parameters, or its range over all runs. */
export function parametersText(rows: readonly RowResult[]): string {
  const values = rows.flatMap(({ runs }) => runs.flatMap(({ parameters }) => parameters ?? []));
  if (values.length === 0) return '';
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least === most ? counted(least) : `${counted(least)} to ${counted(most)}`;
}

function timeText(rows: readonly RowResult[]): string {
  const seconds = rows.flatMap(({ seconds }) => seconds?.mean ?? []);
  return seconds.length > 0 ? duration(mean(seconds)) : '';
}

function memoryText(rows: readonly RowResult[]): string {
  const peaks = rows.flatMap(({ memoryMb }) => memoryMb?.mean ?? []);
  return peaks.length > 0 ? `${counted(Math.max(...peaks))} MB` : '';
}
