import { readMethodTexts } from '../../../../methods/tuners/registry.ts';
import { meanSeries, type Point } from '../../../../scores/stats/series.ts';
import { addUp, largest } from '../../../../support/numbers.ts';
import { type Axis, type ChartCurve, lineChart, type Mark, rule } from '../../chart/plot.ts';
import { chooseTone } from '../../chart/svg-figure.ts';
import { capital, counted, short } from '../../format.ts';
import type { Markup } from '../../markup.ts';
import { componentsIn, type RunGroup, scoreTitleIn } from '../../run/group-runs.ts';
import { methodSettings, newestRanks, type RunRecord } from '../../run/run-record.ts';
import { figure, figures } from '../section.ts';
import { scoreNames } from './result.ts';

/** A figure with a curve for each group over the steps. */
interface CurveFigure {
  id: string;
  title: string;
  y: Axis;
  measure: (run: RunRecord) => Point[];
  /** The curve of a group whose runs have no points. */
  otherwise?: (group: RunGroup) => Point[];
  dots?: boolean;
  marks?: readonly Mark[];
}

/** Draws the figure. Undefined if no run has a point. */
export function curveFigure(
  groups: readonly RunGroup[],
  { measure, otherwise = () => [], dots = false, ...frame }: CurveFigure,
): Markup | undefined {
  const measured = groups.map(({ runs }) => meanSeries(runs.map(measure)));
  if (measured.every(({ points }) => points.length === 0)) return undefined;
  const curves = groups.map((group, i): ChartCurve => {
    const dashed = measured[i]!.points.length === 0;
    const series = dashed ? { points: otherwise(group) } : measured[i]!;
    return { label: group.label, color: chooseTone(i), dots, dashed, ...series };
  });
  const x = { name: 'step', domain: stepDomain(groups) };
  return figure(lineChart, { ...frame, description: describeEnds(curves), x, curves });
}

/** From the start to the last step of the longest run. */
export function stepDomain(groups: readonly RunGroup[]): [number, number] {
  const runs = groups.flatMap((group) => group.runs);
  return [0, Math.max(1, largest(runs.map(({ start, step }) => Math.max(start?.total_steps ?? 0, step))))];
}

/** The first and last value of each curve, for the figure's description. */
function describeEnds(curves: readonly ChartCurve[]): string {
  const shown = curves.filter(({ points }) => points.length > 0);
  const descriptions = shown.map(({ label, points }) => {
    const [first, last] = [points[0]![1], points.at(-1)![1]];
    const change = first === last ? short(last) : `from ${short(first)} to ${short(last)}`;
    return shown.length > 1 ? `${label} ${change}` : change;
  });
  return `${capital(descriptions.join('; '))}.`;
}

/** A number of each step. */
function ofSteps(key: 'loss' | 'regularizer' | 'grad_norm' | 'learning_rate') {
  return ({ steps }: RunRecord) => steps.map((step): Point => [step.step, step[key] ?? Number.NaN]);
}

/** Loss and scores over the steps. */
export function curves(groups: readonly RunGroup[]): Markup | undefined {
  const loss = { id: 'loss-train', title: 'Training loss', y: { name: 'loss' }, measure: ofSteps('loss') };
  const scores = scoreNames(groups)
    .sort((a, b) => Number(b === 'loss') - Number(a === 'loss'))
    .map((name): CurveFigure => {
      const title = scoreTitleIn(groups, name);
      const measure = ({ evaluations }: RunRecord) =>
        evaluations.map((event): Point => [event.step, Number(event[`eval_${name}`] ?? Number.NaN)]);
      return { id: `score-${name}`, title, y: { name: title }, measure, dots: true };
    });
  return figures([loss, ...scores].map((drawn) => curveFigure(groups, drawn)));
}

/** The orthogonality of the factors, the gradient and the learning rate. */
export function optimisation(groups: readonly RunGroup[]): Markup | undefined {
  const all = [
    ['orthogonality', 'regularizer', orthogonalityName(groups)],
    ['gradient', 'grad_norm', 'norm before clipping'],
    ['learning-rate', 'learning_rate', 'learning rate'],
  ] as const;
  return figures(
    all.map(([id, key, name]) =>
      curveFigure(groups, {
        id,
        title: capital(id.replace('-', ' ')),
        y: { name },
        measure: ofSteps(key),
      }),
    ),
  );
}

/** The name of the curve. It is specific if all groups have the same regularizer. */
function orthogonalityName(groups: readonly RunGroup[]): string {
  const forms = groups.flatMap(
    ({ runs: [{ facts }] }) => readMethodTexts(facts.method).regularizer?.(methodSettings(facts)) ?? [],
  );
  return new Set(forms).size === 1 ? forms[0]! : 'regularizer, each method in its own form';
}

/**
 * The budget over time. A method without a budget has a dashed line at its number of components. If there is one group,
 * the step at which the ranks became final is marked. Undefined if no run has a budget.
 */
export function budgetFigure(groups: readonly RunGroup[]): Markup | undefined {
  const [{ runs }] = groups as readonly [RunGroup];
  const finals = groups.length > 1 ? [] : runs[0].allocations.filter(({ final }) => final);
  return curveFigure(groups, {
    id: 'budget',
    title: 'Budget',
    y: { name: componentsIn(groups) },
    measure: budgetPoints,
    otherwise(group) {
      const components = addUp(Object.values(newestRanks(group.runs[0])));
      return components > 0 ? stepDomain([group]).map((step): Point => [step, components]) : [];
    },
    marks: finals.map(({ step }) => rule(step, `final at ${counted(step)}`)),
  });
}

export function budgetPoints({ start, steps, allocations }: RunRecord): Point[] {
  const points = new Map<number, number>();
  // The first logged step may already be in the budgeting phase.
  const initial = addUp(Object.values(start?.ranks ?? {}));
  if (initial > 0 && steps.some(({ budget }) => budget !== undefined)) points.set(0, initial);
  for (const { step, budget } of [...steps, ...allocations])
    if (budget !== undefined) points.set(step, budget);
  return [...points].sort(([a], [b]) => a - b);
}
