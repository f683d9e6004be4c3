import { type ClassScores, classReport } from './class-report.ts';

/**
 * The means of {@link classReport} over classes. As for F1, classes that are neither targets nor predicted
 * are excluded.
 */
export function macroScores(counts: readonly (readonly number[])[]): ClassScores {
  const scores = classReport(counts);
  const present = scores.filter((_, id) => counts.some((row, other) => row[id]! + counts[id]![other]! > 0));
  const mean = (of: (of: ClassScores) => number) =>
    present.reduce((sum, score) => sum + of(score), 0) / present.length;
  return {
    precision: mean(({ precision }) => precision),
    recall: mean(({ recall }) => recall),
    f1: mean(({ f1 }) => f1),
    support: scores.reduce((sum, { support }) => sum + support, 0),
  };
}
