import type { Point } from '../../../../scores/stats/series.ts';
import { type Axis, type ChartCurve, lineChart } from '../../chart/line-chart.ts';
import { capital, short } from '../../format.ts';
import { markup } from '../../markup.ts';
import type { RunGroup } from '../../run/group-runs.ts';
import { groupSeries } from '../../run/group-values.ts';
import type { RunRecord } from '../../run/run-record.ts';
import { scoreTitleIn } from '../../run/score-title.ts';
import { figure, type Section, toneOf } from '../section.ts';
import { scoreNames } from './result.ts';

/** Loss and scores over the steps. */
export function curves(groups: readonly RunGroup[]): Section {
  const training = curvesOf(groups, ({ steps }) => steps.map(({ step, loss }): Point => [step, loss]));
  const section = { id: 'curves', title: 'Learning' };
  if (training.every(({ points }) => points.length === 0)) return section;
  const losses = curveFigure(groups, {
    id: 'loss-train',
    title: 'Training loss',
    y: 'loss',
    drawn: training,
  });
  const scores = scoreNames(groups)
    .sort((a, b) => Number(b === 'loss') - Number(a === 'loss'))
    .map((name) => {
      const drawn = curvesOf(groups, ({ evaluations }) =>
        evaluations.map((event): Point => [event.step, Number(event[`eval_${name}`] ?? Number.NaN)]),
      ).map((curve) => ({ ...curve, dots: true }));
      return curveFigure(groups, {
        id: `score-${name}`,
        title: scoreTitleIn(groups, name),
        y: scoreTitleIn(groups, name),
        drawn,
      });
    });
  return { ...section, body: markup`<div class="figures">${losses}${scores}</div>` };
}

/** One curve for each group. */
export function curvesOf(
  groups: readonly RunGroup[],
  of: (run: RunRecord) => readonly Point[],
): ChartCurve[] {
  return groups.map((group, i) => ({ label: group.label, tone: toneOf(i), ...groupSeries(group, of) }));
}

/** A figure with curves over the steps of the longest run. Undefined if no curve has a point. */
export function curveFigure(
  groups: readonly RunGroup[],
  {
    id,
    title,
    y,
    drawn,
    caption = ends(drawn),
    marks,
  }: {
    id: string;
    title: string;
    y: Axis | string;
    drawn: readonly ChartCurve[];
    caption?: string;
    marks?: readonly { x: number; label: string }[];
  },
) {
  if (drawn.every(({ points }) => points.length === 0)) return undefined;
  const axis = typeof y === 'string' ? { name: y } : y;
  const x = { name: 'step', domain: stepDomain(groups) };
  return figure({
    id,
    picture: lineChart({ id, title, description: caption, x, y: axis, curves: drawn, marks }),
    caption: markup`<b>${title}.</b> ${caption}`,
  });
}

export function stepDomain(groups: readonly RunGroup[]): [number, number] {
  const runs = groups.flatMap((group) => group.runs);
  return [0, Math.max(1, ...runs.map(({ start, step }) => Math.max(start?.total_steps ?? 0, step)))];
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
