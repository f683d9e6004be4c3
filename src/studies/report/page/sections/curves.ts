import { readMethodTexts } from '../../../../methods/tuners/registry.ts';
import { meanSeries, type Point } from '../../../../scores/stats/series.ts';
import { addUp, largest } from '../../../../support/numbers.ts';
import { type Axis, type ChartCurve, type LineChart, lineChart } from '../../chart/line-chart.ts';
import { capital, counted, short } from '../../format.ts';
import { type Markup, markup } from '../../markup.ts';
import { componentsIn, type RunGroup, scoreTitleIn } from '../../run/group-runs.ts';
import { methodSettings, newestRanks, type RunRecord } from '../../run/run-record.ts';
import { chooseTone, figure } from '../section.ts';
import { scoreNames } from './result.ts';

/** Loss and scores over the steps. */
export function curves(groups: readonly RunGroup[]): Markup | undefined {
  const training = listCurves(groups, ({ steps }) => steps.map(({ step, loss }): Point => [step, loss]));
  if (training.every(({ points }) => points.length === 0)) return undefined;
  const losses = curveFigure(groups, {
    id: 'loss-train',
    title: 'Training loss',
    y: 'loss',
    drawn: training,
  });
  const scores = scoreNames(groups)
    .sort((a, b) => Number(b === 'loss') - Number(a === 'loss'))
    .map((name) => {
      const drawn = listCurves(groups, ({ evaluations }) =>
        evaluations.map((event): Point => [event.step, Number(event[`eval_${name}`] ?? Number.NaN)]),
      ).map((curve) => ({ ...curve, dots: true }));
      const title = scoreTitleIn(groups, name);
      return curveFigure(groups, { id: `score-${name}`, title, y: title, drawn });
    });
  return markup`<div class="figures">${losses}${scores}</div>`;
}

/** One curve for each group. */
export function listCurves(
  groups: readonly RunGroup[],
  of: (run: RunRecord) => readonly Point[],
): ChartCurve[] {
  return groups.map((group, i) => ({
    label: group.label,
    tone: chooseTone(i),
    ...meanSeries(group.runs.map(of)),
  }));
}

/** A figure with curves over the steps of the longest run. Undefined if no curve has a point. */
export function curveFigure(
  groups: readonly RunGroup[],
  {
    y,
    drawn,
    ...frame
  }: Pick<LineChart, 'id' | 'title' | 'marks'> & { y: Axis | string; drawn: readonly ChartCurve[] },
) {
  if (drawn.every(({ points }) => points.length === 0)) return undefined;
  return figure(lineChart, {
    ...frame,
    description: ends(drawn),
    x: { name: 'step', domain: stepDomain(groups) },
    y: typeof y === 'string' ? { name: y } : y,
    curves: drawn,
  });
}

export function stepDomain(groups: readonly RunGroup[]): [number, number] {
  const runs = groups.flatMap((group) => group.runs);
  return [0, Math.max(1, largest(runs.map(({ start, step }) => Math.max(start?.total_steps ?? 0, step))))];
}

/** The first and last value of each curve, for the figure's description. */
function ends(drawn: readonly ChartCurve[]): string {
  const shown = drawn.filter(({ points }) => points.length > 0);
  const descriptions = shown.map(({ label, points }) => {
    const [first, last] = [points[0]![1], points.at(-1)![1]];
    const change = first === last ? short(last) : `from ${short(first)} to ${short(last)}`;
    return shown.length > 1 ? `${label} ${change}` : change;
  });
  return `${capital(descriptions.join('; '))}.`;
}

/** The orthogonality of the factors, the gradient and the learning rate. */
export function optimisation(groups: readonly RunGroup[]): Markup | undefined {
  const measured = [
    ['regularizer', 'Orthogonality', orthogonalityName(groups)],
    ['grad_norm', 'Gradient', 'norm before clipping'],
    ['learning_rate', 'Learning rate', 'learning rate'],
  ] as const;
  const figures = measured.flatMap(([key, title, y]) => {
    const drawn = listCurves(groups, ({ steps }) =>
      steps.map((step): Point => [step.step, step[key] ?? Number.NaN]),
    );
    const id = title.toLowerCase().replaceAll(' ', '-');
    return curveFigure(groups, { id, title, y, drawn }) ?? [];
  });
  return figures.length === 0 ? undefined : markup`<div class="figures">${figures}</div>`;
}

/** The name of the curve. It is specific if all groups have the same regularizer. */
function orthogonalityName(groups: readonly RunGroup[]): string {
  const forms = groups.flatMap(
    ({ runs: [{ facts }] }) => readMethodTexts(facts.method).regularizer?.(methodSettings(facts)) ?? [],
  );
  return new Set(forms).size === 1 ? forms[0]! : 'regularizer, each method in its own form';
}

/** The budget over time. Methods without a budget have a horizontal line. Undefined if no run has a budget. */
export function budgetFigure(groups: readonly RunGroup[]): Markup | undefined {
  const curves = listCurves(groups, budgetPoints);
  if (curves.every(({ points }) => points.length === 0)) return undefined;
  const shown = curves.map((curve, i) => (curve.points.length > 0 ? curve : levelCurve(groups, i)));
  return curveFigure(groups, {
    id: 'budget',
    title: 'Budget',
    y: componentsIn(groups),
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
  const initial = addUp(Object.values(start?.ranks ?? {}));
  if (initial > 0 && steps.some(({ budget }) => budget !== undefined)) points.set(0, initial);
  for (const { step, budget } of steps) if (budget !== undefined) points.set(step, budget);
  for (const { step, budget } of allocations) points.set(step, budget);
  return [...points].sort(([a], [b]) => a - b);
}

/** The number of components of a method with constant ranks, as a dashed line for comparison. */
function levelCurve(groups: readonly RunGroup[], i: number): ChartCurve {
  const [run] = groups[i]!.runs;
  const components = addUp(Object.values(newestRanks(run)));
  const points = components > 0 ? stepDomain([groups[i]!]).map((x): Point => [x, components]) : [];
  return { label: groups[i]!.label, tone: chooseTone(i), points, dashed: true };
}
