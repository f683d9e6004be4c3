import { type ClassScores, classReport } from '../../metrics/class-report.ts';
import type { Confusion } from '../../program/example-set.ts';
import { printable } from '../../support/printable.ts';

/** More columns than a terminal has room for. */
const MOST_CLASSES = 12;

/** Precision, recall and F1 of each class, with their means, and how often it was taken for which. */
export function classTable({ labels, counts }: Confusion): string {
  const scores = classReport(counts);
  const isNarrow = labels.length <= MOST_CLASSES;
  // As F1's mean has it: without classes that are neither here nor predicted.
  const present = scores.filter((_, id) => counts.some((row, other) => row[id] + counts[id][other] > 0));
  const mean = (of: (of: ClassScores) => number) =>
    present.reduce((sum, score) => sum + of(score), 0) / present.length;
  const numbers = (precision: number, recall: number, f1: number, support: number) => [
    ...[precision, recall, f1].map((share) => share.toFixed(4)),
    `${support}`,
  ];
  const total = scores.reduce((sum, { support }) => sum + support, 0);
  const rows = [
    ['', 'precision', 'recall', 'F1', 'rows', ...(isNarrow ? labels.map((label) => `as ${label}`) : [])],
    ...scores.map(({ precision, recall, f1, support }, id) => [
      labels[id],
      ...numbers(precision, recall, f1, support),
      ...(isNarrow ? counts[id].map(String) : []),
    ]),
    [
      'mean of classes (macro)',
      ...numbers(
        mean(({ precision }) => precision),
        mean(({ recall }) => recall),
        mean(({ f1 }) => f1),
        total,
      ),
    ],
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
    )
    .map(printable)
    .join('\n');
}
