import { type Interval, interval } from '../../../../scores/stats/interval.ts';
import type { Point } from '../../../../scores/stats/series.ts';
import { addUp, largest, smallest } from '../../../../support/numbers.ts';
import { listed } from '../../../../support/text.ts';
import { budgetCurve, LINE, lineChart, MAX_LEFT, type Mark, plot } from '../../chart/plot.ts';
import { type Captioned, chooseTone, TONES, WIDTH, wrapText } from '../../chart/svg-figure.ts';
import { score } from '../../format.ts';
import { type Markup, markup } from '../../markup.ts';
import {
  fileTitle,
  formatKey,
  intervalOver,
  intervalText,
  isBudgetKey,
  joinNames,
  type RunGroup,
  runLabels,
  scoreTitleIn,
} from '../../run/group-runs.ts';
import { finalParameters, finalScores, type RunRecord, readScores } from '../../run/run-record.ts';
import { findingSentences, rareClassSentence, verdictSentence } from '../../verdict-sentence.ts';
import { figure, figures, table } from '../section.ts';

/** Final scores. For several runs, a figure compares the main score. */
export function result(groups: readonly RunGroup[]): Markup | undefined {
  const names = scoreNames(groups);
  const tested = groups.flatMap(({ runs }) => runs.flatMap(({ test }) => test ?? []));
  if (names.length === 0 && tested.length === 0) return undefined;
  const row = (title: string, measure: (run: RunRecord) => number | undefined) => [
    title,
    ...groups.map(({ runs }) => intervalText(intervalOver(runs, measure), score)),
  ];
  const files = listed([...new Set(tested.map(({ file }) => fileTitle(file)))]);
  const rows = [
    ...names.map((name) => row(scoreTitleIn(groups, name), (run) => finalScores(run).get(name))),
    ...[...readScores(tested[0]?.metrics ?? {}).keys()].map((name) =>
      row(`${scoreTitleIn(groups, name)} on ${files}`, ({ test }) =>
        readScores(test?.metrics ?? {}).get(name),
      ),
    ),
  ];
  const scores = markup`${listVerdicts(groups)}${table('Result', groups, rows)}`;
  const drawn = [drawSpread(groups, names[0]!), scoreByBudget(groups, names[0]!)];
  // Many columns need the full width.
  return groups.length > 2
    ? markup`${scores}${figures(drawn)}`
    : markup`<div class="pair"><div>${scores}</div>${drawn}</div>`;
}

/**
 * Maximum number of runs for which each verdict is written out. With more runs, only those that learned nothing get
 * one.
 */
const MAX_JUDGED = 4;

function listVerdicts(groups: readonly RunGroup[]) {
  const isFew = addUp(groups, ({ runs }) => runs.length) <= MAX_JUDGED;
  return groups.flatMap(({ runs, label }) =>
    runs.flatMap(({ finish, name }) => {
      const verdict = finish?.verdict;
      if (!verdict || (!isFew && verdict.learnt)) return [];
      const run = groups.length > 1 || runs.length > 1 ? `${runs.length > 1 ? name : label}: ` : '';
      const findings = findingSentences(verdict).map(
        (text) => markup`<p${!verdict.learnt && markup` class="bad"`}>${text}</p>`,
      );
      const rare = rareClassSentence(finish.confusion);
      return [
        markup`${rare !== undefined && markup`<p>${rare}</p>`}<p>${run}${verdictSentence(verdict)}.</p>${findings}`,
      ];
    }),
  );
}

function drawSpread(groups: readonly RunGroup[], name: string) {
  if (groups.every(({ runs }) => runs.length === 1) && groups.length < 2) return undefined;
  const rows = groups.map((group, i) => ({
    label: group.label,
    color: chooseTone(i),
    values: group.runs.map((run) => finalScores(run).get(name) ?? Number.NaN),
    names: group.runs.map((run) => `${run.name === '' ? group.label : run.name}, seed ${run.facts.seed}`),
  }));
  const title = `${scoreTitleIn(groups, name)} of every run`;
  const several = groups.some(({ runs }) => runs.length > 1);
  const caption = several
    ? `${title}: one dot per run; strokes are means, lines their 95 % intervals.`
    : `${title}.`;
  const plot = { id: 'result-spread', title, description: caption, name: scoreTitleIn(groups, name), rows };
  return figure(intervalPlot, plot, { caption });
}

/** Names of the scores of all runs, the main score first and the loss last. */
export function scoreNames(groups: readonly RunGroup[]): string[] {
  const runs = groups.flatMap((group) => group.runs);
  const names = new Set(runs.flatMap((run) => [...finalScores(run).keys()]));
  const chief = runs[0]?.facts.training.metric_for_best_model;
  const order = (name: string) => (name === chief ? -1 : name === 'loss' ? 1 : 0);
  return [...names].sort((a, b) => order(a) - order(b));
}

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
function scoreByBudget(groups: readonly RunGroup[], name: string): Markup | undefined {
  const spots = groups.flatMap((group): Spot[] => {
    const score = intervalOver(group.runs, (run) => finalScores(run).get(name));
    return score
      ? [{ group, score, budget: intervalOver(group.runs, (run) => finalParameters(run) || undefined)?.mean }]
      : [];
  });
  const lines = groupLines(spots);
  if (!lines.some((line) => new Set(listBudgets(line)).size > 1)) return undefined;
  const budgets = listBudgets(spots);
  const range = [smallest(budgets), largest(budgets)] as const;
  const labels = runLabels(
    lines.map(([{ group }]) => group.runs[0].facts),
    lines.map((line) => joinNames(line.flatMap(({ group }) => group.runs))),
    (key) => !isBudgetKey(key),
  );
  const isMean = groups.some(({ runs }) => runs.length > 1);
  const means = isMean ? '; lines are means over seeds, pale bands 95 % intervals' : '';
  const x = { name: 'parameters', isLogarithmic: range[1] > WIDE * range[0] };
  const y = { name: scoreTitleIn(groups, name) };
  const curves = lines.map((line, i) => ({
    label: labels[i]!,
    // A line has the color of its first group, as in every other figure. With more groups than colors, two lines
    // could share a color, so lines get colors by their own order.
    color: chooseTone(groups.length > TONES ? i : groups.indexOf(line[0].group)),
    ...budgetCurve(line, range),
  }));
  return figure(lineChart, {
    id: 'result-budget',
    title: `${y.name} against budget`,
    description: `One dot per budget, in trained parameters of the adapter at the end${means}.`,
    x,
    y,
    curves,
  });
}

type Line = [Spot, ...Spot[]];

/** Groups that differ only by their budget. */
function groupLines(spots: readonly Spot[]): Line[] {
  const lines = new Map<string, Line>();
  for (const spot of spots) {
    const key = formatKey(spot.group.runs[0].facts, (setting) => !isBudgetKey(setting));
    const line = lines.get(key);
    if (line) line.push(spot);
    else lines.set(key, [spot]);
  }
  return [...lines.values()];
}

function listBudgets(spots: readonly Spot[]): number[] {
  return spots.flatMap(({ budget }) => budget ?? []);
}

interface IntervalPlot extends Captioned {
  name: string;
  /** A value for each run, and the runs' names. */
  rows: readonly { label: string; color: string; values: readonly number[]; names: readonly string[] }[];
}

/** The least height of a row. */
const ROW = 26;

/** A row for each group of runs: a dot per run, a stroke for their mean, and a line for its interval. */
function intervalPlot({ name, rows, ...frame }: IntervalPlot): Markup {
  // A plot's names are from bottom to top.
  const upwards = rows.toReversed();
  const labels = upwards.map(({ label }) => label);
  const height = Math.max(ROW, 8 + LINE * largest(labels.map((label) => wrapText(label, MAX_LEFT).length)));
  const marks = upwards.map(({ label, color, values, names }, row): Mark => {
    const { mean, half } = interval(values.filter(Number.isFinite));
    const ends = half === undefined ? '' : ` ± ${score(half)}`;
    return {
      points: [mean - (half ?? 0), mean + (half ?? 0), ...values].map((value): Point => [value, row]),
      draw({ x, y: up }) {
        const y = up(row);
        const line =
          half !== undefined &&
          markup`<line class="whisker ${color}" x1="${x(mean - half)}" x2="${x(mean + half)}" y1="${y}" y2="${y}"/><line class="curve ${color}" x1="${x(mean)}" x2="${x(mean)}" y1="${y - 7}" y2="${y + 7}"/>`;
        const dots = values.map(
          (value, i) =>
            Number.isFinite(value) &&
            markup`<circle class="dot ${color}" cx="${x(value)}" cy="${y}" r="2.8"><title>${names[i]}: ${score(value)}</title></circle>`,
        );
        return markup`<g><title>${`${label}: ${score(mean)}${ends}`}</title><rect class="stripe" x="0" y="${y - height / 2}" width="${WIDTH}" height="${height}"/>${line}${dots}</g>`;
      },
    };
  });
  const panels = [{ marks }];
  return plot({ ...frame, x: { name }, y: { names: labels }, panels, height: height * rows.length });
}
