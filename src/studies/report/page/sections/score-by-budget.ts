import type { Interval } from '../../../../scores/stats/interval.ts';
import type { Point } from '../../../../scores/stats/series.ts';
import { type ChartCurve, lineChart } from '../../chart/line-chart.ts';
import { type Markup, markup } from '../../markup.ts';
import { keyOf, namesOf, type RunGroup, runLabels } from '../../run/group-runs.ts';
import { budgetMeasure, groupInterval, isBudgetKey } from '../../run/group-values.ts';
import { finalScores } from '../../run/run-record.ts';
import { scoreTitleIn } from '../../run/score-title.ts';
import { figure, TONES, toneOf } from '../section.ts';

/** A group as a point in the figure. */
interface Spot {
  group: RunGroup;
  /** Undefined if the whole model is trained, because then there is no budget. */
  budget: number | undefined;
  score: Interval;
}

/** If budgets differ by more than this factor, their axis is logarithmic. */
const WIDE = 4;

/**
 * A score against the budget, with a line for each method, as in the paper's figure 2. Undefined if no method has
 * several budgets.
 */
export function scoreByBudget(groups: readonly RunGroup[], name: string): Markup | undefined {
  const { name: unit, text, of } = budgetMeasure(groups.flatMap(({ runs }) => runs));
  const spots = groups.flatMap((group): Spot[] => {
    const score = groupInterval(group, (run) => finalScores(run).get(name));
    return score ? [{ group, score, budget: groupInterval(group, of)?.mean }] : [];
  });
  const lines = linesOf(spots);
  if (!lines.some((line) => new Set(budgetsOf(line)).size > 1)) return undefined;
  const budgets = budgetsOf(spots);
  const range = [Math.min(...budgets), Math.max(...budgets)] as const;
  const labels = runLabels(
    lines.map(([{ group }]) => group.runs[0].facts),
    lines.map((line) => namesOf(line.flatMap(({ group }) => group.runs))),
    (key) => !isBudgetKey(key),
  );
  const [id, title] = ['result-budget', `${scoreTitleIn(groups, name)} against budget`];
  const isMean = groups.some(({ runs }) => runs.length > 1);
  const means = isMean ? '; lines are means over seeds, pale bands 95 % intervals' : '';
  const caption = `One dot per budget, ${text}${means}.`;
  return figure({
    id,
    picture: lineChart({
      ...{ id, title, description: caption },
      x: { name: unit, isLogarithmic: range[1] > WIDE * range[0] },
      y: { name: scoreTitleIn(groups, name) },
      curves: lines.map((line, i) => ({
        label: labels[i]!,
        // A line has the color of its first group, as in every other figure. With more groups than colors, two lines
        // could share a color, so lines get colors by their own order.
        tone: toneOf(groups.length > TONES ? i : groups.indexOf(line[0].group)),
        ...curveOf(line, range),
      })),
    }),
    caption: markup`<b>${title}.</b> ${caption}`,
  });
}

type Line = [Spot, ...Spot[]];

/** Groups that differ only by their budget. */
function linesOf(spots: readonly Spot[]): Line[] {
  const lines = new Map<string, Line>();
  for (const spot of spots) {
    const key = keyOf(spot.group.runs[0].facts, (setting) => !isBudgetKey(setting));
    const line = lines.get(key);
    if (line) line.push(spot);
    else lines.set(key, [spot]);
  }
  return [...lines.values()];
}

function budgetsOf(spots: readonly Spot[]): number[] {
  return spots.flatMap(({ budget }) => budget ?? []);
}

/** Points in the order of budgets. A method without a budget gets a horizontal line. */
function curveOf(line: readonly Spot[], range: readonly number[]): Omit<ChartCurve, 'label' | 'tone'> {
  const sorted = line
    .flatMap(({ budget, score }) => (budget === undefined ? [] : { budget, score }))
    .sort((a, b) => a.budget - b.budget);
  if (sorted.length === 0) {
    return { points: range.map((budget): Point => [budget, line[0]!.score.mean]), dashed: true };
  }
  return {
    points: sorted.map(({ budget, score }): Point => [budget, score.mean]),
    band: sorted.map(({ budget, score: { mean, half = 0 } }) => [budget, mean - half, mean + half] as const),
    dots: true,
  };
}
