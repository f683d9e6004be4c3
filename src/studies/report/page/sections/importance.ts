import { binEdges, binned, type SplitScores, splitScores } from '../../../../scores/stats/score-bins.ts';
import type { Point } from '../../../../scores/stats/series.ts';
import { largest } from '../../../../support/numbers.ts';
import { type ComponentHistory, strongestFirst } from '../../../../training/run/component-history.ts';
import type { EventOf } from '../../../../training/run/events.ts';
import { type Box, linear, niceTicks, rounded, type Scale, type Ticks, xAxis } from '../../chart/axes.ts';
import { lineChart } from '../../chart/line-chart.ts';
import { type Captioned, matrixName, picture, textWidth, WIDTH } from '../../chart/picture.ts';
import { counted } from '../../format.ts';
import { type Markup, markup } from '../../markup.ts';
import { rankTable } from '../../rank-table.ts';
import { componentsIn, type RunGroup } from '../../run/group-runs.ts';
import { chooseTone, figure, groupTitle } from '../section.ts';

export interface Histogram extends Captioned {
  /** The unit that the chart counts: triplets or doublets. */
  components: string;
  /** As decimal logarithms. */
  edges: readonly number[];
  kept: readonly number[];
  dropped: readonly number[];
  /** The position of the cut, as a decimal logarithm. */
  cut: number | undefined;
}

const HEIGHT = 196;

/**
 * A histogram of components' scores on a logarithmic axis, kept components above dropped ones, with a line at the cut.
 * The tallest bar fills the plot's height and shows its count.
 */
export function histogram({ components, edges, kept, dropped, cut, ...frame }: Histogram): Markup {
  const { box, x } = geometry(edges);
  const most = Math.max(1, largest(kept.map((count, i) => count + dropped[i]!)));
  const y = linear([0, most], [box.bottom, box.top]);
  const bars = kept.map((count, i) => {
    const [left, right] = [x(edges[i]!), x(edges[i + 1]!)];
    const width = rounded(Math.max(1, right - left - 1));
    const title = `${power(edges[i]!)} to ${power(edges[i + 1]!)}: ${count} kept, ${dropped[i]} dropped`;
    const [upper, lower] = [y(count + dropped[i]!), y(dropped[i]!)];
    return markup`<g class="bin" data-i="${i}"><title>${title}</title><rect class="dropped" x="${left}" width="${width}" y="${lower}" height="${rounded(box.bottom - lower)}"/><rect class="kept" x="${left}" width="${width}" y="${upper}" height="${rounded(lower - upper)}"/></g>`;
  });
  const line = cut === undefined ? box.left : x(cut);
  return picture({ ...frame, width: WIDTH, height: HEIGHT }, [
    markup`<text class="axis name" x="0" y="11">${components}</text><line class="grid" x1="${box.left}" x2="${box.right}" y1="${box.top}" y2="${box.top}"/><text class="axis most" text-anchor="end" x="${box.left - 6}" y="${box.top + 3.5}">${most}</text>`,
    bars,
    xAxis(powerTicks([edges[0]!, edges.at(-1)!], 5), 'importance', x, box),
    markup`<g class="cut"${cut === undefined && markup` visibility="hidden"`} transform="translate(${line} 0)"><line class="mark" y1="${box.top - 6}" y2="${box.bottom}"/><text class="axis" text-anchor="middle" y="${box.top - 9}">cut</text></g>`,
  ]);
}

/**
 * The numbers for the script that moves the bars: the y position of the base line, the height of the tallest bar and
 * the x position of a cut, in pixels.
 */
export function histogramGeometry(edges: readonly number[]): { base: number; height: number; x: Scale } {
  const { box, x } = geometry(edges);
  return { base: box.bottom, height: box.bottom - box.top, x };
}

function geometry(edges: readonly number[]): { box: Box; x: Scale } {
  const box: Box = { left: 34, right: WIDTH - 14, top: 28, bottom: HEIGHT - 34 };
  return { box, x: linear([edges[0]!, edges.at(-1)!], [box.left, box.right]) };
}

/** About `about` ticks of a domain of decimal logarithms, whole ones if possible. */
export function powerTicks([low, high]: readonly [number, number], about: number): Ticks {
  const all = niceTicks(low, high, about);
  const whole = all.filter(Number.isInteger);
  const values = whole.length > 1 ? whole : all;
  return { values, labels: values.map(power) };
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Formats a power of ten: `10⁻⁹` for −9; for a fraction `3.2e−10`. */
export function power(logarithm: number): string {
  if (!Number.isInteger(logarithm))
    return (10 ** logarithm).toExponential(1).replace('-', '−').replace('+', '');
  const digits = `${Math.abs(logarithm)}`.replace(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)]!);
  return `10${logarithm < 0 ? '⁻' : ''}${digits}`;
}

export interface Barcode extends Captioned {
  rows: readonly (SplitScores & { label: string })[];
  /** As decimal logarithms. */
  domain: [number, number];
  cut: number | undefined;
}

const ROW = 20;
const TICK = 13;

/** Draws every triplet as a stroke at its importance, one row per group. Dropped triplets are pale, left of the cut. */
function barcode({ rows, domain, cut, ...frame }: Barcode): Markup {
  const left = Math.ceil(largest(rows.map(({ label }) => textWidth(label)))) + 10;
  const box: Box = { left, right: WIDTH - 40, top: 22, bottom: 22 + rows.length * ROW };
  const x = linear(domain, [box.left, box.right]);
  const strokes = (scores: readonly number[], y: number) =>
    scores.map((score) => `M${x(score)} ${y}v${TICK}`).join('');
  return picture({ ...frame, width: WIDTH, height: box.bottom + 36 }, [
    cut !== undefined &&
      markup`<line class="mark" x1="${x(cut)}" x2="${x(cut)}" y1="${box.top - 4}" y2="${box.bottom}"/><text class="axis" text-anchor="middle" x="${x(cut)}" y="${box.top - 8}">cut</text>`,
    markup`<text class="axis" text-anchor="end" x="${WIDTH - 2}" y="${box.top - 8}">kept</text>`,
    rows.map(({ label, kept, dropped, keptCount, count }, i) => {
      const y = box.top + i * ROW;
      const share = count === 0 ? 0 : Math.round((100 * keptCount) / count);
      return markup`<g><title>${`${label}: ${keptCount} of ${count} kept`}</title><rect class="stripe" x="0" y="${y - 3}" width="${WIDTH}" height="${ROW}"/><text class="axis" text-anchor="end" x="${left - 8}" y="${y + 10}">${label}</text><path class="dropped" d="${strokes(dropped, y)}"/><path class="kept" d="${strokes(kept, y)}"/><text class="mean" text-anchor="end" x="${WIDTH - 2}" y="${y + 10}">${share} %</text></g>`;
    }),
    xAxis(powerTicks(domain, 4), 'importance', x, box),
  ]);
}

/** The data of a slider that shows the scores of all allocations. */
export interface ImportanceFrames {
  /** The y position of the base line and the height of the tallest bar, in pixels. */
  base: number;
  height: number;
  /** For each step with scores: the counts, and the position of the cut in pixels. It is null without a cut. */
  at: Record<number, { kept: number[]; dropped: number[]; cut: number | null }>;
}

type Scored = EventOf<'allocation'> & { scores: (number | null)[][] };

/**
 * The section about importance: which components the final rank pattern keeps, by matrix and by layer, and how the
 * importance of some components changed.
 */
export function importance(groups: readonly RunGroup[]): Markup | undefined {
  const figures = groups.flatMap((group, i) => [
    ...barcodes(group, `importance-${i}`, groups.length > 1),
    ...followed(group, `followed-${i}`, groups.length > 1),
  ]);
  return figures.length === 0 ? undefined : markup`<div class="pair">${figures}</div>`;
}

/** Allocations with scores, from the run with the lowest seed: scores of different runs are not on a common scale. */
function listScored({ runs: [run] }: RunGroup): Scored[] {
  return run.allocations.filter((allocation): allocation is Scored => allocation.scores !== undefined);
}

/** The distribution of all components' importance at the last allocation. Undefined if the log has no importance. */
export function scoreHistogram(group: RunGroup, id: string, isNamed: boolean): Markup | undefined {
  const last = listScored(group).at(-1);
  if (!last) return undefined;
  const edges = computeEdges(listScored(group));
  const { kept, dropped, keptCount, count } = splitScores(last.scores, Object.values(last.ranks));
  const components = componentsIn([group]);
  const without = count - kept.length - dropped.length;
  const missing = without > 0 ? `; ${counted(without)} without a score are not drawn` : '';
  const text = `${counted(keptCount)} of ${counted(count)} ${components} kept at step ${counted(last.step)}${missing}.${describeSeed(group)}`;
  const title = groupTitle(group, isNamed, `importance of the ${components}`);
  const drawn = { id, title, description: text, components, edges, ...countScores(last, edges) };
  const caption = markup`<b>${title}.</b> <span class="swatch kept"></span> kept, <span class="swatch dropped"></span> dropped: ${text}`;
  return markup`<div class="scores">${figure(histogram, drawn, { caption })}</div>`;
}

function barcodes(group: RunGroup, id: string, isNamed: boolean): Markup[] {
  const last = listScored(group).at(-1);
  if (!last) return [];
  const edges = computeEdges([last]);
  const domain: [number, number] = [edges[0]!, edges.at(-1)!];
  const component = componentsIn([group]).slice(0, -1);
  return listRows(last).map(({ by, rows }) =>
    figure(barcode, {
      id: `${id}-by-${by}`,
      title: groupTitle(group, isNamed, `importance by ${by}`),
      description: `One stroke per ${component} at step ${counted(last.step)}; pale ones were dropped.${describeSeed(group)}`,
      rows,
      domain,
      cut: findCut(last),
    }),
  );
}

/** Number of components to follow, of the kept and of the dropped ones. */
const FOLLOWED = 3;

/** The importance of some components over the steps: the most important kept ones and dropped ones. */
function followed(group: RunGroup, id: string, isNamed: boolean): Markup[] {
  const histories = group.runs[0].histories ?? [];
  const strongest = strongestFirst(histories);
  const isKept = ({ kept }: ComponentHistory) => kept.at(-1) === true;
  const chosen = [
    ...strongest.filter(isKept).slice(0, FOLLOWED),
    ...strongest.filter((history) => !isKept(history)).slice(0, FOLLOWED),
  ];
  if (chosen.length === 0) return [];
  const components = componentsIn([group]);
  const description = `The strongest of those kept at the end and (dashed) of those dropped, as a power of ten.${describeSeed(group)}`;
  const curves = chosen.map((history, i) => ({
    label: `${history.module.split('.').slice(-4).join('.')} ${history.component}`,
    tone: chooseTone(i),
    dashed: !isKept(history),
    points: history.steps
      .map((step, i): Point => [step, Math.log10(history.importance[i]!)])
      .filter(([, logarithm]) => Number.isFinite(logarithm)),
  }));
  return [
    figure(lineChart, {
      id,
      title: groupTitle(group, isNamed, `importance of single ${components}`),
      description,
      x: { name: 'step' },
      y: { name: 'log10 importance' },
      curves,
    }),
  ];
}

/** The components of each matrix (over all layers), and of each layer. */
function listRows(allocation: Scored) {
  const modules = Object.keys(allocation.ranks);
  const places = rankTable(Object.fromEntries(modules.map((module, i) => [module, i])));
  const split = (chosen: readonly (number | undefined)[]) => {
    const indices = chosen.filter((i) => i !== undefined);
    return splitScores(
      indices.map((i) => allocation.scores[i] ?? []),
      indices.map((i) => allocation.ranks[modules[i]!]!),
    );
  };
  const byMatrix = places.columns.map((label, k) => ({
    label: matrixName(label),
    ...split(places.rows.map(({ ranks }) => ranks[k])),
  }));
  const byLayer = places.rows.map(({ layer, ranks }) => ({ label: layer, ...split(ranks) }));
  return [
    { by: 'matrix', rows: byMatrix.reverse() },
    { by: 'layer', rows: byLayer.reverse() },
  ].filter(({ rows }) => rows.length > 1);
}

export function importanceFrames(group: RunGroup): ImportanceFrames | undefined {
  const scored = listScored(group);
  if (scored.length === 0) return undefined;
  const edges = computeEdges(scored);
  const { base, height, x } = histogramGeometry(edges);
  const at = scored.map((allocation) => {
    const { cut, ...counts } = countScores(allocation, edges);
    return [allocation.step, { ...counts, cut: cut === undefined ? null : x(cut) }] as const;
  });
  return { base, height, at: Object.fromEntries(at) };
}

/** Bin edges for all allocations of a run, so that the slider shows how scores move. */
function computeEdges(scored: readonly Scored[]): number[] {
  return binEdges(scored.flatMap(({ scores }) => scores.flat().filter((score) => score !== null)));
}

/** The content of a histogram of an allocation. */
function countScores(allocation: Scored, edges: readonly number[]) {
  const { kept, dropped } = splitScores(allocation.scores, Object.values(allocation.ranks));
  return { kept: binned(kept, edges), dropped: binned(dropped, edges), cut: findCut(allocation) };
}

function findCut({ threshold }: Scored): number | undefined {
  return threshold > 0 && Number.isFinite(threshold) ? Math.log10(threshold) : undefined;
}

function describeSeed({ runs }: RunGroup): string {
  return runs.length > 1 ? ` Seed ${runs[0].facts.seed}.` : '';
}
