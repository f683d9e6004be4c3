import type { Point } from '../../../scores/stats/series.ts';
import { short } from '../format.ts';
import { type Content, type Markup, markup } from '../markup.ts';
import {
  type Box,
  computeTicks,
  gridLines,
  linear,
  logDomain,
  logTicks,
  roomFor,
  rounded,
  xAxis,
  yAxis,
} from './axes.ts';
import { SHADES } from './heat-map.ts';
import { type Captioned, picture, textWidth, WIDTH } from './picture.ts';

export interface Panel {
  label: string;
  /** One curve for each layer that has the matrix. */
  curves: readonly { layer: string; points: readonly Point[] }[];
}

export interface Panels extends Captioned {
  /** All layers, in order. */
  layers: readonly string[];
  panels: readonly Panel[];
  x: { name: string; domain: [number, number] };
  /** The name of the values on the y axis. They are positive, and the axis is logarithmic. */
  y: string;
}

const PLOT = { height: 76, across: 24, above: 20, below: 36 };
const LEGEND = 16;
/** The shade of the first layer: the palest that is still visible as a line. */
const PALEST = 5;

/** Small plots with the same axes, two in a row, with a curve for each layer. Later layers have deeper shades. */
export function panels({ layers, panels, x, y, ...frame }: Panels): Markup {
  const points = panels.flatMap(({ curves }) => curves.flatMap((curve) => curve.points));
  const domain = logDomain(points.map(([, value]) => Math.log10(value)));
  const ticks = { x: computeTicks(x.domain, 2), y: logTicks(domain, 4) };
  const left = roomFor(ticks.y);
  const width = (WIDTH - 10 - left - PLOT.across) / 2;
  const pitch = PLOT.above + PLOT.height;
  const shade = (layer: string) =>
    PALEST + Math.round(((SHADES - PALEST) * layers.indexOf(layer)) / Math.max(1, layers.length - 1));
  const drawn = panels.map(({ label, curves }, i) => {
    const [start, top] = [
      left + (i % 2) * (width + PLOT.across),
      LEGEND + PLOT.above + Math.floor(i / 2) * pitch,
    ];
    const box: Box = { left: rounded(start), right: rounded(start + width), top, bottom: top + PLOT.height };
    const at = { x: linear(x.domain, [box.left, box.right]), y: linear(domain, [box.bottom, box.top]) };
    const isFirst = i % 2 === 0;
    const isLowest = i + 2 >= panels.length;
    const lines = curves.map(({ layer, points }) => {
      const path = points.map(([step, value]) => `${at.x(step)},${at.y(Math.log10(value))}`).join(' ');
      return markup`<g class="s${shade(layer)}"><title>${changeText(layer, label, points)}</title><polyline class="curve" points="${path}"/></g>`;
    });
    return [
      isFirst ? yAxis(ticks.y, '', at.y, box) : gridLines(ticks.y, at.y, box),
      isLowest && xAxis(ticks.x, x.name, at.x, box),
      markup`<text x="${box.left}" y="${top - 6}">${label}</text>`,
      lines,
    ];
  });
  const height = LEGEND + Math.ceil(panels.length / 2) * pitch + PLOT.below;
  const name = markup`<text class="axis name" x="0" y="11">${y}</text>`;
  return picture({ ...frame, width: WIDTH, height }, [
    name,
    legend(layers.map((layer) => [layer, shade(layer)])),
    drawn,
  ]);
}

/** The first and the last layer, with the shades between them. */
function legend(layers: readonly (readonly [layer: string, shade: number])[]): Content {
  if (layers.length < 2) return undefined;
  const [first, last] = [layers[0]![0], layers.at(-1)![0]];
  const cell = Math.min(8, 96 / layers.length);
  const end = WIDTH - 10 - textWidth(last) - 5;
  const start = end - layers.length * cell;
  return [
    markup`<text class="axis" text-anchor="end" x="${rounded(start - 5)}" y="11">layer ${first}</text><text class="axis" x="${rounded(end + 5)}" y="11">${last}</text>`,
    layers.map(
      ([, shade], i) =>
        markup`<rect class="h${shade}" x="${rounded(start + i * cell)}" y="4" width="${rounded(cell)}" height="7"/>`,
    ),
  ];
}

function changeText(layer: string, label: string, points: readonly Point[]): string {
  const place = layer === '' ? label : `layer ${layer}, ${label}`;
  const [first, last] = [points[0], points.at(-1)];
  return first && last ? `${place}: from ${short(first[1])} to ${short(last[1])}` : place;
}
