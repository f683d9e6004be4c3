import { readMethodTexts } from '../../../../methods/tuners/registry.ts';
import { meanSeries, type Point } from '../../../../scores/stats/series.ts';
import { mean } from '../../../../support/numbers.ts';
import { SHADES } from '../../chart/heat-map.ts';
import { matrixName } from '../../chart/picture.ts';
import { line, type Mark, plot } from '../../chart/plot.ts';
import { short } from '../../format.ts';
import { type Markup, markup } from '../../markup.ts';
import { rankTable } from '../../rank-table.ts';
import type { RunGroup } from '../../run/group-runs.ts';
import { figure, figures, groupTitle } from '../section.ts';
import { curveFigure, stepDomain } from './curves.ts';

/** Indices of the two factors whose orthogonality is measured. The left factor is first. */
const SIDES = [0, 1] as const;
type Side = (typeof SIDES)[number];

/** How far the factors of every matrix are from orthonormal over the run, as in the paper's figure 4. */
export function factors(groups: readonly RunGroup[]): Markup | undefined {
  const measured = groups.filter(isMeasured);
  const compared = measured.length > 1 ? SIDES.map((side) => means(groups, side)) : [];
  const each = groups.flatMap((group, i) =>
    measured.includes(group)
      ? SIDES.map((side) => ofMatrices(group, groups.length > 1, `factors-${i}`, side))
      : [],
  );
  return figures([...compared, ...each]);
}

function isMeasured({ runs }: RunGroup): boolean {
  return runs.some(({ orthogonality }) => orthogonality.length > 0);
}

/** The mean over all matrices, with a curve for each group. */
function means(groups: readonly RunGroup[], side: Side): Markup | undefined {
  const names = new Set(groups.filter(isMeasured).map((group) => nameFactors(group)[side]));
  const name = names.size === 1 ? formula([...names][0]!, side) : '‖G − I‖²';
  return curveFigure(groups, {
    id: `factors-mean-${side}`,
    title: `${['Left', 'Right'][side]} factors (${[...names].join(', ')}), mean of all matrices`,
    y: { name, isLogarithmic: true },
    measure: ({ orthogonality }) =>
      orthogonality.map(({ step, modules }) => [step, mean(Object.values(modules).map((at) => at[side]))]),
  });
}

/** The shade of the first layer: the palest that is still visible as a line. */
const PALEST = 5;

/** A plot for each matrix, with a curve for each layer. */
function ofMatrices(group: RunGroup, isNamed: boolean, id: string, side: Side): Markup {
  const { runs } = group;
  const paths = [
    ...new Set(
      runs.flatMap(({ orthogonality }) => orthogonality.flatMap(({ modules }) => Object.keys(modules))),
    ),
  ];
  const { columns, rows } = rankTable(Object.fromEntries(paths.map((path, i) => [path, i])));
  const step = (SHADES - PALEST) / Math.max(1, rows.length - 1);
  const panels = columns.map(matrixName).map((label, k) => ({
    label,
    marks: rows.flatMap(({ layer, ranks }, i) => {
      const path = paths[ranks[k] ?? -1];
      if (path === undefined) return [];
      const distances = runs.map(({ orthogonality }) =>
        orthogonality.map(({ step, modules }): Point => [step, modules[path]?.[side] ?? Number.NaN]),
      );
      return layerCurve(layer, label, Math.round(PALEST + i * step), meanSeries(distances).points);
    }),
  }));
  const [factor, name] = [nameFactors(group)[side], formula(nameFactors(group)[side], side)];
  const seeds = runs.length > 1 ? ` Means of ${runs.length} seeds.` : '';
  return figure(plot, {
    id: `${id}-${side}`,
    title: groupTitle(group, isNamed, `${name} of each matrix`),
    description: `Distance of the ${side === 0 ? 'columns' : 'rows'} of ${factor} from orthonormal, one curve per layer, deeper layers in deeper shades; 0 is orthonormal.${seeds}`,
    x: { name: 'step', domain: stepDomain([group]), ticks: 2 },
    y: { name, isLogarithmic: true, ticks: 3 },
    panels,
    columns: 2,
    height: 76,
  });
}

/** The curve of a layer, whose place and change its tooltip tells. */
function layerCurve(layer: string, matrix: string, shade: number, points: Point[]): Mark {
  const curve = line({ label: layer, color: `s${shade}`, points });
  const place = layer === '' ? matrix : `layer ${layer}, ${matrix}`;
  const [first, last] = [points[0], points.at(-1)];
  const change = first && last ? `: from ${short(first[1])} to ${short(last[1])}` : '';
  return { ...curve, draw: (at) => markup`<g><title>${place}${change}</title>${curve.draw(at)}</g>` };
}

function nameFactors({ runs: [{ facts }] }: RunGroup): readonly [left: string, right: string] {
  return readMethodTexts(facts.method).factors ?? ['B', 'A'];
}

function formula(name: string, side: Side): string {
  return side === 0 ? `‖${name}ᵀ${name} − I‖²` : `‖${name}${name}ᵀ − I‖²`;
}
