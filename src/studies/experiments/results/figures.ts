import { intervalPlot } from '../../report/chart/interval-plot.ts';
import { chooseTone } from '../../report/chart/picture.ts';
import { budgetCurve, type ChartCurve, lineChart } from '../../report/chart/plot.ts';
import { standalone } from '../../report/chart/style.ts';
import { isBudgetKey, scoreTitle } from '../../report/run/group-runs.ts';
import type { RowResult, TaskResult } from './results.ts';

/**
 * Draws a task's figures as SVG, by file name: scores with confidence intervals, and a curve of scores
 * against the budget if a row has several budgets.
 */
export function taskFigures({ task, rows, scores: [score], rule }: TaskResult): Map<string, string> {
  const name = task.replace(/[^\w.-]+/g, '-');
  const title = `${scoreTitle(score!)} on ${task}`;
  const dots = intervalPlot({
    id: `dots-${name}`,
    title,
    description: `One dot per seed. Lines are means with 95 % intervals. ${rule.text}`,
    name: scoreTitle(score!),
    rows: rows.map(({ row, runs }, i) => ({
      label: row,
      color: chooseTone(i),
      values: runs.map(({ scores }) => scores[score!] ?? Number.NaN),
      names: runs.map(({ seed }) => `${row}, seed ${seed}`),
    })),
  });
  const curves = budgetCurves(rows, score!);
  const figures = new Map([[`dots-${name}.svg`, standalone(dots)]]);
  if (!curves.some(({ points }) => points.length > 1)) return figures;
  const budget = lineChart({
    id: `budget-${name}`,
    title: `${title} against budget`,
    description: 'Means over seeds; bands are 95 % intervals.',
    x: { name: 'parameters', isLogarithmic: true },
    y: { name: scoreTitle(score!) },
    curves,
  });
  return figures.set(`budget-${name}.svg`, standalone(budget));
}

/** One curve for each group of rows that differ only in their budget. */
function budgetCurves(rows: readonly RowResult[], score: string): ChartCurve[] {
  const lines = new Map<string, RowResult[]>();
  for (const row of rows) {
    const apart = Object.entries(row.settings).filter(([key]) => !isBudgetKey(key));
    const key = JSON.stringify(apart.sort());
    if (row.parameters) lines.set(key, [...(lines.get(key) ?? []), row]);
  }
  return [...lines.values()].map((line, i) => ({
    label: line.length > 1 ? commonStart(line.map(({ row }) => row)) : line[0]!.row,
    color: chooseTone(i),
    ...budgetCurve(
      line.map(({ parameters, scores }) => ({ budget: parameters?.mean, score: scores[score]! })),
      [],
    ),
  }));
}

/** The common start of row names: `LoRA` for `LoRA 0.08%` and `LoRA 0.16%`. */
function commonStart([first = '', ...others]: readonly string[]): string {
  const words = first.split(' ');
  const shared = words.filter((_, i) =>
    others.every((other) => other.startsWith(words.slice(0, i + 1).join(' '))),
  );
  return shared.join(' ') || first;
}
