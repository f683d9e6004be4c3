import { counted, short } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import type { Series } from '../stats/series.ts';
import { type Box, roomFor, ticksOf, xAxis, yAxis } from './axes.ts';
import { spreadLabels } from './labels.ts';
import { niceDomain } from './nice-ticks.ts';
import { type Frame, picture, textWidth, WIDTH } from './picture.ts';
import { linear, rounded, type Scale } from './scale.ts';

export interface Curve extends Series {
  label: string;
  /** Its colour, by the group of runs. */
  tone: number;
  /** Marks each point: for the few points of evaluations. */
  dots?: boolean;
  dashed?: boolean;
}

export interface LineChart extends Omit<Frame, 'width' | 'height'> {
  x: { name: string; domain: [number, number] };
  y: { name: string; domain?: [number, number] };
  curves: readonly Curve[];
  /** Vertical lines with a word at their top. */
  marks?: readonly { x: number; label: string }[];
}

const HEIGHT = 208;
const LABEL_HEIGHT = 12;
/** Stripes that tell the values below the pointer. */
const MOST_STRIPES = 60;

/** Curves over steps; several are named at their ends. */
export function lineChart({ x, y, curves, marks = [], ...frame }: LineChart): Markup {
  const shown = curves.filter(({ points }) => points.length > 0);
  const domain = y.domain ?? niceDomain(shown.flatMap(({ points }) => points.map(([, value]) => value)));
  const ticks = { x: ticksOf(x.domain), y: ticksOf(domain, 6) };
  const named = shown.length > 1 ? Math.max(...shown.map(({ label }) => textWidth(label))) + 10 : 14;
  const box: Box = {
    left: roomFor(ticks.y),
    right: WIDTH - Math.min(named, 130),
    top: 22,
    bottom: HEIGHT - 34,
  };
  const at = {
    x: linear(x.domain, [box.left, box.right]),
    y: linear(domain, [box.bottom, box.top]),
  };
  const clip = `${frame.id}-plot`;
  return picture({ ...frame, width: WIDTH, height: HEIGHT }, [
    markup`<clipPath id="${clip}"><rect x="${box.left}" y="${box.top - 3}" width="${rounded(box.right - box.left + 4)}" height="${box.bottom - box.top + 6}"/></clipPath>`,
    yAxis(ticks.y, y.name, at.y, box),
    xAxis(ticks.x, x.name, at.x, box),
    marks.map((mark) => markOf(mark, at.x, box)),
    markup`<g clip-path="url(#${clip})">${shown.map((curve) => bandOf(curve, at))}${shown.map((curve) => lineOf(curve, at))}</g>`,
    shown.length > 1 && namesOf(shown, at, box),
    stripes(shown, x.name, at.x, box),
  ]);
}

interface Scales {
  x: Scale;
  y: Scale;
}

function bandOf({ band, tone }: Curve, at: Scales): Markup | undefined {
  if (!band || band.length < 2) return undefined;
  const upper = band.map(([x, , high]) => `${at.x(x)},${at.y(high)}`);
  const lower = band.map(([x, low]) => `${at.x(x)},${at.y(low)}`).reverse();
  return markup`<polygon class="band t${tone}" points="${[...upper, ...lower].join(' ')}"/>`;
}

function lineOf({ points, tone, dots, dashed }: Curve, at: Scales): Markup {
  const path = points.map(([x, y]) => `${at.x(x)},${at.y(y)}`).join(' ');
  const isDotted = dots || points.length === 1;
  return markup`<polyline class="curve t${tone}${dashed ? ' dashed' : ''}" points="${path}"/>${
    isDotted &&
    points.map(([x, y]) => markup`<circle class="dot t${tone}" cx="${at.x(x)}" cy="${at.y(y)}" r="2.4"/>`)
  }`;
}

function namesOf(curves: readonly Curve[], at: Scales, box: Box): Markup[] {
  const ends = curves.map(({ points }) => at.y(points.at(-1)![1]));
  const heights = spreadLabels(ends, LABEL_HEIGHT, box.top, box.bottom);
  return curves.map(
    ({ label, tone }, i) =>
      markup`<text class="series t${tone}" x="${rounded(box.right + 6)}" y="${rounded(heights[i] + 3.5)}">${label}</text>`,
  );
}

function markOf({ x, label }: { x: number; label: string }, scale: Scale, box: Box): Markup {
  const isRight = scale(x) > (box.left + box.right) / 2;
  return markup`<line class="mark" x1="${scale(x)}" x2="${scale(x)}" y1="${box.top}" y2="${box.bottom}"/><text class="axis" text-anchor="${isRight ? 'end' : 'start'}" x="${rounded(scale(x) + (isRight ? -4 : 4))}" y="${box.top + 8}">${label}</text>`;
}

function stripes(curves: readonly Curve[], name: string, scale: Scale, box: Box): Markup[] {
  const values = curves.map(({ points }) => new Map(points));
  const xs = [...new Set(values.flatMap((points) => [...points.keys()]))].sort((a, b) => a - b);
  const chosen = xs.filter((_, i) => i % Math.ceil(xs.length / MOST_STRIPES) === 0 || i === xs.length - 1);
  return chosen.map((x, i) => {
    const left = i === 0 ? box.left : scale((chosen[i - 1] + x) / 2);
    const right = i === chosen.length - 1 ? box.right + 2 : scale((x + chosen[i + 1]) / 2);
    const lines = curves.flatMap(({ label }, k) => {
      const y = values[k].get(x);
      return y === undefined ? [] : [curves.length > 1 ? `${label}: ${short(y)}` : short(y)];
    });
    const text = `${name} ${counted(x)}\n${lines.join('\n')}`;
    return markup`<rect class="stripe" x="${left}" y="${box.top}" width="${rounded(Math.max(1, right - left))}" height="${box.bottom - box.top}"><title>${text}</title></rect>`;
  });
}
