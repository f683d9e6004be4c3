import { scaleLinear, scaleLog } from 'd3-scale';
import type { Interval } from '../../../scores/stats/interval.ts';
import type { Point, Series } from '../../../scores/stats/series.ts';
import { largest, smallest } from '../../../support/numbers.ts';
import { short } from '../format.ts';
import { type Content, type Markup, markup } from '../markup.ts';
import { type Captioned, legend, svgFigure, textWidth, WIDTH, wrapText } from './svg-figure.ts';

/** One side of a plot. */
export interface Axis {
  name?: string;
  /** The ends. Default: the range of the marks, on a linear axis extended to round numbers. */
  domain?: readonly [number, number];
  isLogarithmic?: boolean;
  /** Labels of the values 0, 1, 2 …, from left to right or from bottom to top. */
  names?: readonly string[];
  /** The approximate number of ticks. */
  ticks?: number;
}

/** The edges of a plot in pixels, and the scales of its axes. A value outside a logarithmic axis is not finite. */
interface PlotArea {
  x: (value: number) => number;
  y: (value: number) => number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Something in a plot. The axes contain its points. */
export interface Mark {
  points: readonly Point[];
  draw(at: PlotArea): Content;
}

interface Plot extends Captioned {
  x: Axis;
  y: Axis;
  /** Plots with the same axes, row by row. */
  panels: readonly { label?: string; marks: readonly Mark[] }[];
  columns?: number;
  /** Size of a panel. The width may depend on the width of the figure without the labels. */
  height?: number;
  width?: (room: number) => number;
  /** A legend above the panels. */
  above?: { height: number; content: Content };
}

/** Distances in pixels: at the right of a plot, between panels, and of the names and labels around them. */
const GAPS = { right: 14, across: 24, name: 16, label: 20, above: 6, ticks: 20, below: 34 };
/** Longer names at the left are wrapped. */
export const MAX_LEFT = 140;
/** Distance of the lines of a name. */
export const LINE = 12;

/** Draws marks in panels with common axes. */
export function plot({ x, y, panels, columns = 1, height = 152, width, above, ...frame }: Plot): Markup {
  const points = panels.flatMap(({ marks }) => marks.flatMap((mark) => mark.points));
  const [across, up] = [measureAxis(x, points, 0), measureAxis(y, points, 1)];
  const labels = up.ticks.flatMap(({ lines }) => lines.map(textWidth));
  const start = Math.ceil(Math.max(0, largest(labels))) + 10;
  const room = WIDTH - start - GAPS.right;
  const wide = width?.(room) ?? (room - (columns - 1) * GAPS.across) / columns;
  const gap = panels.some(({ label }) => label) ? GAPS.label : GAPS.above;
  const nameTop = above?.height ?? 0;
  const first = nameTop + (y.name ? GAPS.name : 0) + gap;
  const whole = Math.max(WIDTH, start + columns * (wide + GAPS.across) - GAPS.across + GAPS.right);
  const drawn = panels.map(({ label, marks }, i) => {
    const column = i % columns;
    const left = start + column * (wide + GAPS.across);
    const top = first + Math.floor(i / columns) * (height + gap);
    const edges = { left, right: round(left + wide), top, bottom: top + height };
    const h = across.scale.copy().range([edges.left, edges.right]);
    const v = up.scale.copy().range([edges.bottom, edges.top]);
    const at: PlotArea = { ...edges, x: (value) => round(h(value)), y: (value) => round(v(value)) };
    return [
      leftAxis(up.ticks, y.names !== undefined, at, column === 0),
      i + columns >= panels.length && bottomAxis(across.ticks, x, at, whole),
      label && markup`<text x="${left}" y="${top - 6}">${label}</text>`,
      marks.map((mark) => mark.draw(at)),
    ];
  });
  const bottom = first + Math.ceil(panels.length / columns) * (height + gap) - gap;
  return svgFigure({ ...frame, width: whole, height: bottom + (x.name ? GAPS.below : GAPS.ticks) }, [
    above?.content,
    y.name && markup`<text class="axis name" x="0" y="${nameTop + 11}">${y.name}</text>`,
    drawn,
  ]);
}

/** Rounds to hundredths of a pixel. */
function round(value: number): number {
  return Math.round(value * 100) / 100;
}

type Ticks = ReturnType<typeof measureAxis>['ticks'];

/** The scale and the labeled values of an axis. `side` is the index of its coordinate. */
function measureAxis(axis: Axis, points: readonly Point[], side: 0 | 1) {
  const { domain, isLogarithmic = false, names, ticks = 5 } = axis;
  if (names)
    return {
      scale: scaleLinear([-0.5, names.length - 0.5], [0, 1]),
      ticks: names.map((name, value) => ({ value, lines: wrapText(name, MAX_LEFT) })),
    };
  const ends = domain ?? findEnds(points, side, isLogarithmic);
  if (isLogarithmic) {
    const scale = scaleLog(ends, [0, 1]);
    const values = scale.ticks(ticks);
    // A crowded axis has no text at some ticks, a short one perhaps at none.
    const format = scale.tickFormat(ticks, '~g');
    const labeled = values.filter((value) => format(value) !== '');
    return { scale, ticks: listTicks(labeled.length > 1 ? labeled : values, formatPower) };
  }
  const scale = scaleLinear(ends, [0, 1]);
  if (!domain) scale.nice(ticks);
  const isTiny = scale.domain().every((value) => Math.abs(value) < 0.01);
  return { scale, ticks: listTicks(scale.ticks(ticks), scale.tickFormat(ticks, isTiny ? '~e' : undefined)) };
}

function listTicks(values: readonly number[], format: (value: number) => string) {
  return values.map((value) => ({ value, lines: [value === 0 ? '0' : format(value).replace('-', '−')] }));
}

/** The range of coordinates, never empty. */
function findEnds(points: readonly Point[], side: 0 | 1, isLogarithmic: boolean): [number, number] {
  const values = points
    .map((point) => point[side])
    .filter((value) => Number.isFinite(value) && (!isLogarithmic || value > 0));
  if (values.length === 0) return isLogarithmic ? [1, 10] : [0, 1];
  const [low, high] = [smallest(values), largest(values)];
  if (low < high) return [low, high];
  const room = Math.abs(low) / 10 || 1;
  return [low - room, high + room];
}

const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

/** Formats a number such as `0.02`, `300`, `50K` or `1e−9`. */
function formatPower(value: number): string {
  return value < 1e-4 ? Number(value.toPrecision(3)).toExponential() : COMPACT.format(value);
}

/** Grid lines, and labels in the first column. Names have no lines. */
function leftAxis(ticks: Ticks, isNamed: boolean, at: PlotArea, isFirst: boolean): Content {
  return ticks.map(({ value, lines }) => {
    const y = at.y(value);
    const first = y + 3.5 - ((lines.length - 1) * LINE) / 2;
    return [
      !isNamed && markup`<line class="grid" x1="${at.left}" x2="${at.right}" y1="${y}" y2="${y}"/>`,
      isFirst &&
        lines.map(
          (line, i) =>
            markup`<text class="axis" text-anchor="end" x="${at.left - 6}" y="${round(first + i * LINE)}">${line}</text>`,
        ),
    ];
  });
}

/** Labels below a plot, and the axis name below them at the right. */
function bottomAxis(ticks: Ticks, { name, names }: Axis, at: PlotArea, width: number): Markup {
  const isNamed = names !== undefined;
  const labels = ticks.map(({ value, lines: [text] }) => {
    const [x, half] = [at.x(value), textWidth(text!) / 2];
    const tick =
      !isNamed &&
      markup`<line class="axis-line" x1="${x}" x2="${x}" y1="${at.bottom}" y2="${at.bottom + 4}"/>`;
    // A label at the edge is moved into the figure.
    const center = round(Math.max(half, Math.min(width - half, x)));
    return markup`${tick}<text class="axis" text-anchor="middle" x="${center}" y="${at.bottom + 15}">${text}</text>`;
  });
  return markup`${!isNamed && markup`<line class="axis-line" x1="${at.left}" x2="${at.right}" y1="${at.bottom}" y2="${at.bottom}"/>`}${labels}${name && markup`<text class="axis name" text-anchor="end" x="${at.right}" y="${at.bottom + 28}">${name}</text>`}`;
}

export interface ChartCurve extends Series {
  label: string;
  /** The class of its color. */
  color: string;
  /** Whether to mark each point. Evaluations have few points. */
  dots?: boolean;
  dashed?: boolean;
}

/** A curve with the interval around it. */
export function line({ color, points, band = [], dots, dashed }: ChartCurve): Mark {
  const edge = (side: 1 | 2) => band.map((place): Point => [place[0], place[side]]);
  return {
    points: [...points, ...edge(1), ...edge(2)],
    draw({ x, y }) {
      const place = (some: readonly Point[]) =>
        some.map(([a, b]) => [x(a), y(b)] as const).filter(([a, b]) => Number.isFinite(a + b));
      const path = place(points);
      const around = [...place(edge(2)), ...place(edge(1)).reverse()];
      return [
        around.length > 3 && markup`<polygon class="band ${color}" points="${around.join(' ')}"/>`,
        markup`<polyline class="curve ${color}${dashed && ' dashed'}" points="${path.join(' ')}"/>`,
        (dots || path.length === 1) &&
          path.map(([a, b]) => markup`<circle class="dot ${color}" cx="${a}" cy="${b}" r="2.4"/>`),
      ];
    },
  };
}

/** Scores in the order of their budgets, with intervals. Without budgets, they are a dashed line across the range. */
export function budgetCurve(
  scores: readonly { budget: number | undefined; score: Interval }[],
  range: readonly number[],
): Omit<ChartCurve, 'label' | 'color'> {
  const sorted = scores
    .flatMap(({ budget, score }) => (budget === undefined ? [] : { budget, score }))
    .sort((a, b) => a.budget - b.budget);
  if (sorted.length === 0)
    return { points: range.map((budget): Point => [budget, scores[0]!.score.mean]), dashed: true };
  return {
    points: sorted.map(({ budget, score }): Point => [budget, score.mean]),
    band: sorted.map(({ budget, score: { mean, half = 0 } }) => [budget, mean - half, mean + half] as const),
    dots: true,
  };
}

/** A vertical line with a label at the top, on the side with more room. */
export function rule(value: number, label: string): Mark {
  return {
    points: [],
    draw({ x, left, right, top, bottom }) {
      const at = x(value);
      const isRight = at > (left + right) / 2;
      return markup`<line class="mark" x1="${at}" x2="${at}" y1="${top}" y2="${bottom}"/><text class="axis halo" text-anchor="${isRight ? 'end' : 'start'}" x="${round(at + (isRight ? -4 : 4))}" y="${top + 8}">${label}</text>`;
    },
  };
}

/** Number of vertical stripes that show the values below the pointer. */
const MAX_STRIPES = 60;

function stripes(curves: readonly ChartCurve[], name: string): Mark {
  const values = curves.map(({ points }) => new Map(points));
  const xs = [...new Set(values.flatMap((points) => [...points.keys()]))].sort((a, b) => a - b);
  const chosen = xs.filter((_, i) => i % Math.ceil(xs.length / MAX_STRIPES) === 0 || i === xs.length - 1);
  return {
    points: [],
    draw: (at) =>
      chosen.map((x, i) => {
        const left = i === 0 ? at.left : at.x((chosen[i - 1]! + x) / 2);
        const right = i === chosen.length - 1 ? at.right + 2 : at.x((x + chosen[i + 1]!) / 2);
        const lines = curves.flatMap(({ label }, k) => {
          const y = values[k]!.get(x);
          return y === undefined ? [] : [`${curves.length > 1 ? `${label}: ` : ''}${short(y)}`];
        });
        return markup`<rect class="stripe" x="${left}" y="${at.top}" width="${round(Math.max(1, right - left))}" height="${at.bottom - at.top}"><title>${[`${name} ${short(x)}`, ...lines].join('\n')}</title></rect>`;
      }),
  };
}

interface LineChart extends Captioned {
  x: Axis & { name: string };
  y: Axis;
  curves: readonly ChartCurve[];
  marks?: readonly Mark[];
}

/** Draws curves over steps or sizes. Several curves have a legend. */
export function lineChart({ curves, marks = [], ...frame }: LineChart): Markup {
  const shown = curves.filter(({ points }) => points.length > 0);
  const all = [...marks, ...shown.map(line), stripes(shown, frame.x.name)];
  return plot({ ...frame, panels: [{ marks: all }], ...(shown.length > 1 && { above: legend(shown) }) });
}
