import type { Point, Series } from '../../../scores/stats/series.ts';
import { largest } from '../../../support/numbers.ts';
import { short } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import {
  type Box,
  computeTicks,
  linear,
  logDomain,
  logTicks,
  niceDomain,
  roomFor,
  rounded,
  type Scale,
  type Ticks,
  xAxis,
  yAxis,
} from './axes.ts';
import { type Captioned, picture, spreadLabels, textWidth, WIDTH } from './picture.ts';
import { legendHeight, seriesLegend } from './style.ts';

export interface ChartCurve extends Series {
  label: string;
  /** Index of its color, which depends on the group of runs. */
  tone: number;
  /** Whether to mark each point. Evaluations have few points. */
  dots?: boolean;
  dashed?: boolean;
}

/** The axis along one side of a plot. */
export interface Axis {
  name: string;
  /** Default: the range of the values. Required for a logarithmic axis. */
  domain?: [number, number];
  isLogarithmic?: boolean;
}

export interface LineChart extends Captioned {
  x: Axis;
  y: Axis;
  curves: readonly ChartCurve[];
  /** Vertical lines, each with a label at the top. */
  marks?: readonly { x: number; label: string }[];
}

const HEIGHT = 208;
const LABEL_HEIGHT = 12;
/** Longer names are placed above the plot instead of at the ends of their curves. */
const MAX_AT_END = 120;
/** Number of vertical stripes that show the values below the pointer. */
const MAX_STRIPES = 60;

/** Draws curves over steps or sizes. Several curves are named at their ends, or above the plot if a name is long. */
export function lineChart({ x, y, curves, marks = [], ...frame }: LineChart): Markup {
  const shown = curves.map((curve) => drawable(curve, x, y)).filter(({ points }) => points.length > 0);
  const isNamed = shown.length > 1;
  const longest = isNamed ? largest(shown.map(({ label }) => textWidth(label))) : 0;
  const isLegend = longest > MAX_AT_END;
  const above = isLegend ? legendHeight(shown) : 0;
  const xs = measured(
    x,
    shown.flatMap(({ points }) => points.map(([value]) => value)),
    4,
  );
  const ys = measured(
    y,
    shown.flatMap(({ points, band = [] }) => [
      ...points.map(([, value]) => value),
      ...band.flatMap(([, low, high]) => [low, high]),
    ]),
    6,
  );
  const box: Box = {
    left: roomFor(ys.ticks),
    right: WIDTH - (isNamed && !isLegend ? Math.ceil(longest) + 10 : 14),
    top: above + 22,
    bottom: above + HEIGHT - 34,
  };
  const at = {
    x: linear(xs.domain, [box.left, box.right]),
    y: linear(ys.domain, [box.bottom, box.top]),
  };
  const clip = `${frame.id}-plot`;
  return picture({ ...frame, width: WIDTH, height: above + HEIGHT }, [
    isLegend && seriesLegend(shown),
    markup`<clipPath id="${clip}"><rect x="${rounded(box.left - 3)}" y="${box.top - 3}" width="${rounded(box.right - box.left + 7)}" height="${box.bottom - box.top + 6}"/></clipPath>`,
    yAxis(ys.ticks, y.name, at.y, box),
    xAxis(xs.ticks, x.name, at.x, box),
    marks.map((mark) => drawMark(mark, at.x, box)),
    markup`<g clip-path="url(#${clip})">${shown.map((curve) => drawBand(curve, at))}${shown.map((curve) => drawLine(curve, at))}</g>`,
    isNamed && !isLegend && drawNames(shown, at, box),
    stripes(shown, { x, y }, at.x, box),
  ]);
}

interface Scales {
  x: Scale;
  y: Scale;
}

/**
 * Converts a curve to the units of its axes. On a logarithmic axis these are logarithms, and points without a logarithm
 * are omitted.
 */
function drawable(curve: ChartCurve, x: Axis, y: Axis): ChartCurve {
  if (!x.isLogarithmic && !y.isLogarithmic) return curve;
  const [h, v] = [x, y].map(
    ({ isLogarithmic }) =>
      (value: number) =>
        isLogarithmic ? Math.log10(value) : value,
  );
  const points = curve.points.map(([a, b]): Point => [h!(a), v!(b)]);
  const band = curve.band?.map(([a, low, high]) => [h!(a), v!(low), v!(high)] as const);
  const isDrawn = (values: readonly number[]) => values.every(Number.isFinite);
  return { ...curve, points: points.filter(isDrawn), band: band?.filter(isDrawn) };
}

function measured(
  { domain, isLogarithmic }: Axis,
  values: readonly number[],
  about: number,
): { domain: [number, number]; ticks: Ticks } {
  const whole = isLogarithmic ? logDomain(values) : (domain ?? niceDomain(values));
  return { domain: whole, ticks: isLogarithmic ? logTicks(whole, about) : computeTicks(whole, about) };
}

/** Formats a value on an axis in the reader's units. */
function valueText({ isLogarithmic }: Axis, value: number): string {
  return short(isLogarithmic ? Number((10 ** value).toPrecision(6)) : value);
}

function drawBand({ band, tone }: ChartCurve, at: Scales): Markup | undefined {
  if (!band || band.length < 2) return undefined;
  const upper = band.map(([x, , high]) => `${at.x(x)},${at.y(high)}`);
  const lower = band.map(([x, low]) => `${at.x(x)},${at.y(low)}`).reverse();
  return markup`<polygon class="band t${tone}" points="${[...upper, ...lower].join(' ')}"/>`;
}

function drawLine({ points, tone, dots, dashed }: ChartCurve, at: Scales): Markup {
  const path = points.map(([x, y]) => `${at.x(x)},${at.y(y)}`).join(' ');
  const isDotted = dots || points.length === 1;
  return markup`<polyline class="curve t${tone}${dashed ? ' dashed' : ''}" points="${path}"/>${
    isDotted &&
    points.map(([x, y]) => markup`<circle class="dot t${tone}" cx="${at.x(x)}" cy="${at.y(y)}" r="2.4"/>`)
  }`;
}

function drawNames(curves: readonly ChartCurve[], at: Scales, box: Box): Markup[] {
  const ends = curves.map(({ points }) => at.y(points.at(-1)![1]));
  const heights = spreadLabels(ends, LABEL_HEIGHT, box.top, box.bottom);
  return curves.map(
    ({ label, tone }, i) =>
      markup`<text class="series t${tone}" x="${rounded(box.right + 6)}" y="${rounded(heights[i]! + 3.5)}">${label}</text>`,
  );
}

function drawMark({ x, label }: { x: number; label: string }, scale: Scale, box: Box): Markup {
  const isRight = scale(x) > (box.left + box.right) / 2;
  return markup`<line class="mark" x1="${scale(x)}" x2="${scale(x)}" y1="${box.top}" y2="${box.bottom}"/><text class="axis" text-anchor="${isRight ? 'end' : 'start'}" x="${rounded(scale(x) + (isRight ? -4 : 4))}" y="${box.top + 8}">${label}</text>`;
}

function stripes(
  curves: readonly ChartCurve[],
  axes: { x: Axis; y: Axis },
  scale: Scale,
  box: Box,
): Markup[] {
  const values = curves.map(({ points }) => new Map(points));
  const xs = [...new Set(values.flatMap((points) => [...points.keys()]))].sort((a, b) => a - b);
  const chosen = xs.filter((_, i) => i % Math.ceil(xs.length / MAX_STRIPES) === 0 || i === xs.length - 1);
  return chosen.map((x, i) => {
    const left = i === 0 ? box.left : scale((chosen[i - 1]! + x) / 2);
    const right = i === chosen.length - 1 ? box.right + 2 : scale((x + chosen[i + 1]!) / 2);
    const lines = curves.flatMap(({ label }, k) => {
      const y = values[k]!.get(x);
      return y === undefined ? [] : [`${curves.length > 1 ? `${label}: ` : ''}${valueText(axes.y, y)}`];
    });
    const text = `${axes.x.name} ${valueText(axes.x, x)}\n${lines.join('\n')}`;
    return markup`<rect class="stripe" x="${left}" y="${box.top}" width="${rounded(Math.max(1, right - left))}" height="${box.bottom - box.top}"><title>${text}</title></rect>`;
  });
}
