import type { TaskResult } from './results.ts';

/** The results of an experiment. */
export interface ExperimentResults {
  title: string;
  /** Notes for its tables: model, versions, settings of all rows, how grids were tried. */
  about: string[];
  /** Program and engine. */
  versions: Record<string, string>;
  tasks: TaskResult[];
  /** By row: the mean over all tasks of the mean of each task's scores, if it is shown. */
  average?: Record<string, { mean?: number; paper?: number }>;
}

/** The mean over all tasks for each row that has all of them. */
export function averages(tasks: readonly TaskResult[]): Record<string, { mean?: number }> {
  const names = new Set(tasks.flatMap(({ rows }) => rows.map(({ row }) => row)));
  return Object.fromEntries(
    [...names].map((name) => {
      const means = tasks.map(({ rows, scores }) => {
        const row = rows.find(({ row }) => row === name);
        return row
          ? scores.reduce((sum, score) => sum + row.scores[score].mean, 0) / scores.length
          : Number.NaN;
      });
      const mean = means.reduce((sum, value) => sum + value, 0) / means.length;
      return [name, Number.isFinite(mean) ? { mean } : {}];
    }),
  );
}
