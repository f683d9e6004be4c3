import { readMethodTexts } from '../../../../methods/tuners/registry.ts';
import { meanSeries, type Point } from '../../../../scores/stats/series.ts';
import { mean } from '../../../../support/numbers.ts';
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
} from '../../chart/axes.ts';
import { SHADES } from '../../chart/heat-map.ts';
import { type Captioned, matrixName, picture, textWidth, WIDTH } from '../../chart/picture.ts';
import { short } from '../../format.ts';
import { type Content, type Markup, markup } from '../../markup.ts';
import { rankTable } from '../../rank-table.ts';
import type { RunGroup } from '../../run/group-runs.ts';
import type { RunRecord } from '../../run/run-record.ts';
import { figure, groupTitle } from '../section.ts';
import { curveFigure, listCurves, stepDomain } from './curves.ts';

/** Indices of the two factors whose orthogonality is measured. The left factor is first. */
const SIDES = [0, 1] as const;
type Side = (typeof SIDES)[number];

/** How far the factors of every matrix are from orthonormal over the run, as in the paper's figure 4. */
export function factors(groups: readonly RunGroup[]): Markup | undefined {
  const measured = groups.filter(isMeasured);
  if (measured.length === 0) return undefined;
  const compared = measured.length > 1 && SIDES.map((side) => means(groups, side));
  const each = groups.map(
    (group, i) =>
      measured.includes(group) && SIDES.map((side) => ofMatrices(groups, group, `factors-${i}`, side)),
  );
  return markup`<div class="figures">${compared}${each}</div>`;
}

function isMeasured({ runs }: RunGroup): boolean {
  return runs.some(({ orthogonality }) => orthogonality.length > 0);
}

/** The mean over all matrices, with a curve for each group. */
function means(groups: readonly RunGroup[], side: Side): Markup | undefined {
  const curves = listCurves(groups, ({ orthogonality }) =>
    orthogonality.map(({ step, modules }): Point => {
      return [step, mean(Object.values(modules).map((distances) => distances[side]))];
    }),
  );
  const names = new Set(groups.filter(isMeasured).map((group) => nameFactors(group)[side]));
  const title = `${['Left', 'Right'][side]} factors (${[...names].join(', ')}), mean of all matrices`;
  const name = names.size === 1 ? formula([...names][0]!, side) : '‖G − I‖²';
  return curveFigure(groups, {
    id: `factors-mean-${side}`,
    title,
    y: { name, isLogarithmic: true },
    drawn: curves,
  });
}

/** A plot for each matrix, with a curve for each layer. */
function ofMatrices(groups: readonly RunGroup[], group: RunGroup, id: string, side: Side): Markup {
  const paths = [
    ...new Set(
      group.runs.flatMap(({ orthogonality }) => orthogonality.flatMap(({ modules }) => Object.keys(modules))),
    ),
  ];
  const places = rankTable(Object.fromEntries(paths.map((path, i) => [path, i])));
  const drawn = places.columns.map((column, k) => ({
    label: matrixName(column),
    curves: places.rows.flatMap(({ layer, ranks }) => {
      const index = ranks[k];
      if (index === undefined) return [];
      const { points } = meanSeries(group.runs.map((run) => listDistances(run, paths[index]!, side)));
      return points.length > 0 ? [{ layer, points }] : [];
    }),
  }));
  const name = formula(nameFactors(group)[side], side);
  const seeds = group.runs.length > 1 ? ` Means of ${group.runs.length} seeds.` : '';
  const description = `Distance of the ${side === 0 ? 'columns' : 'rows'} of ${nameFactors(group)[side]} from orthonormal, one curve per layer; 0 is orthonormal.${seeds}`;
  return figure(panels, {
    id: `${id}-${side}`,
    title: groupTitle(group, groups.length > 1, `${name} of each matrix`),
    description,
    layers: places.rows.map(({ layer }) => layer),
    panels: drawn,
    x: { name: 'step', domain: stepDomain([group]) },
    y: name,
  });
}

function listDistances({ orthogonality }: RunRecord, path: string, side: Side): Point[] {
  return orthogonality.flatMap(({ step, modules }) => {
    const value = modules[path]?.[side] ?? 0;
    return value > 0 ? [[step, value] as const] : [];
  });
}

function nameFactors({ runs: [{ facts }] }: RunGroup): readonly [left: string, right: string] {
  return readMethodTexts(facts.method).factors ?? ['B', 'A'];
}

function formula(name: string, side: Side): string {
  return side === 0 ? `‖${name}ᵀ${name} − I‖²` : `‖${name}${name}ᵀ − I‖²`;
}

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
