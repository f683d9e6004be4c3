import type { TaskResult } from './results.ts';

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

/** The mean over all tasks, for each row that has results for all of them. */
export function averages(tasks: readonly TaskResult[]): Record<string, { mean?: number }> {
  const names = new Set(tasks.flatMap(({ rows }) => rows.map(({ row }) => row)));
  return Object.fromEntries(
    [...names].map((name) => {
      const means = tasks.map(({ rows, scores, scales }) => {
        const row = rows.find(({ row }) => row === name);
        return row
          ? scores.reduce((sum, score) => sum + scales[score]! * row.scores[score]!.mean, 0) / scores.length
          : Number.NaN;
      });
      const mean = means.reduce((sum, value) => sum + value, 0) / means.length;
      return [name, Number.isFinite(mean) ? { mean } : {}];
    }),
  );
}
