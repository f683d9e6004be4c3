import { type ClassScores, classReport } from '../../metrics/class-report.ts';
import { macroScores } from '../../metrics/f1.ts';
import type { Confusion } from '../../program/example-set.ts';
import { printable } from '../../support/printable.ts';

/** Maximum number of classes in the table. More would be too wide for a terminal. */
const MAX_CLASSES = 12;

/** A table with precision, recall and F1 of each class and their means, and the confusion matrix. */
export function classTable({ labels, counts }: Confusion): string {
  const isNarrow = labels.length <= MAX_CLASSES;
  const numbers = ({ precision, recall, f1, support }: ClassScores) => [
    ...[precision, recall, f1].map((share) => share.toFixed(4)),
    `${support}`,
  ];
  const rows = [
    ['', 'precision', 'recall', 'F1', 'rows', ...(isNarrow ? labels.map((label) => `as ${label}`) : [])],
    ...classReport(counts).map((scores, id) => [
      labels[id]!,
      ...numbers(scores),
      ...(isNarrow ? counts[id]!.map(String) : []),
    ]),
    ['mean of classes (macro)', ...numbers(macroScores(counts))],
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
    )
    .map(printable)
    .join('\n');
}
