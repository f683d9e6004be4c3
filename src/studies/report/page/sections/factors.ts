import { methodNamed } from '../../../../methods/tuners/registry.ts';
import { meanSeries, type Point } from '../../../../scores/stats/series.ts';
import { mean } from '../../../../support/numbers.ts';
import { panels } from '../../chart/panels.ts';
import { matrixName } from '../../chart/picture.ts';
import { type Markup, markup } from '../../markup.ts';
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
  return methodNamed(facts.method).words.factors ?? ['B', 'A'];
}

function formula(name: string, side: Side): string {
  return side === 0 ? `‖${name}ᵀ${name} − I‖²` : `‖${name}${name}ᵀ − I‖²`;
}
