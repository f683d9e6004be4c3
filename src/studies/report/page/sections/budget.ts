import type { Point } from '../../../../scores/stats/series.ts';
import type { ChartCurve } from '../../chart/line-chart.ts';
import { counted } from '../../format.ts';
import type { Markup } from '../../markup.ts';
import { componentsIn, type RunGroup } from '../../run/group-runs.ts';
import { newestRanks, type RunRecord } from '../../run/run-record.ts';
import { toneOf } from '../section.ts';
import { curveFigure, curvesOf, stepDomain } from './curves.ts';

/** The budget over time. Methods without a budget have a horizontal line. Undefined if no run has a budget. */
export function budgetFigure(groups: readonly RunGroup[]): Markup | undefined {
  const curves = curvesOf(groups, budgetPoints);
  if (curves.every(({ points }) => points.length === 0)) return undefined;
  const shown = curves.map((curve, i) => (curve.points.length > 0 ? curve : levelCurve(groups, i)));
  const counted = componentsIn(groups);
  return curveFigure(groups, {
    id: 'budget',
    title: 'Budget',
    y: counted,
    drawn: shown,
    marks: finalMarks(groups),
  });
}

/** Marks the step at which the ranks became final, unless the picture shows several groups. */
function finalMarks(groups: readonly RunGroup[]): { x: number; label: string }[] {
  if (groups.length > 1) return [];
  const finals = groups[0]!.runs[0].allocations.filter(({ final }) => final);
  return finals.map(({ step }) => ({ x: step, label: `final at ${counted(step)}` }));
}

export function budgetPoints({ start, steps, allocations }: RunRecord): Point[] {
  const points = new Map<number, number>();
  // The first logged step may already be in the budgeting phase.
  const initial = Object.values(start?.ranks ?? {}).reduce((sum, rank) => sum + rank, 0);
  if (initial > 0 && steps.some(({ budget }) => budget !== undefined)) points.set(0, initial);
  for (const { step, budget } of steps) if (budget !== undefined) points.set(step, budget);
  for (const { step, budget } of allocations) points.set(step, budget);
  return [...points].sort(([a], [b]) => a - b);
}

/** The number of components of a method with constant ranks, as a dashed line for comparison. */
function levelCurve(groups: readonly RunGroup[], i: number): ChartCurve {
  const [run] = groups[i]!.runs;
  const components = Object.values(newestRanks(run)).reduce((sum, rank) => sum + rank, 0);
  const points = components > 0 ? stepDomain([groups[i]!]).map((x): Point => [x, components]) : [];
  return { label: groups[i]!.label, tone: toneOf(i), points, dashed: true };
}
