import { readMethodTexts } from '../../../methods/tuners/registry.ts';
import { classRows } from '../../../scores/metrics/classes.ts';
import { meanSeries, type Point } from '../../../scores/stats/series.ts';
import { mean } from '../../../support/numbers.ts';
import type { EventOf, FinishEvent } from '../../../training/run/events.ts';
import { SHADES } from '../chart/heat-map.ts';
import { line, type Mark, plot } from '../chart/plot.ts';
import { matrixName } from '../chart/svg-figure.ts';
import { score, short } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { rankTable } from '../rank-table.ts';
import type { RunGroup } from '../run/group-runs.ts';
import { finalConfusion, listSettings } from '../run/run-record.ts';
import { figure, figures, groupTitle, headedTable, makeScrollable, table } from './section.ts';
import { curveFigure, curves, optimisation, stepDomain } from './sections/curves.ts';
import { importance } from './sections/importance.ts';
import { ranks } from './sections/ranks.ts';
import { result } from './sections/result.ts';
import { cost, summary } from './sections/summary.ts';

/** Maximum number of notices in a report. */
const MAX_NOTES = 20;

/** A section of the page. */
interface Section {
  id: string;
  title: string;
  body: Markup | undefined;
}

const SECTIONS: readonly (readonly [
  id: string,
  title: string,
  /** Undefined while there is nothing to show. */
  body: (groups: readonly RunGroup[]) => Markup | undefined,
])[] = [
  ['summary', 'What was run', summary],
  ['result', 'Result', result],
  ['classes', 'Classes', classes],
  ['notes', 'Notes', notes],
  ['curves', 'Learning', curves],
  ['cost', 'Cost', cost],
  ['ranks', 'Where the rank went', ranks],
  ['importance', 'What was kept', importance],
  ['factors', 'Orthogonality of the factors', factors],
  ['optimisation', 'Optimisation', optimisation],
  ['settings', 'Settings', settings],
];

/** All sections of a report, from top to bottom: first what the model is worth, then how it came about. */
export function listSections(groups: readonly RunGroup[]): Section[] {
  return SECTIONS.map(([id, title, body]) => ({ id, title, body: body(groups) }));
}

/** A section as an element. Without content, it is present but hidden. */
export function sectionMarkup({ id, title, body }: Section) {
  return markup`<section id="${id}"${!body && markup` hidden`}><h2>${title}</h2>${body}</section>`;
}

/** Scores and confusions of each class, and the most confident wrong predictions, from the first run of each group. */
function classes(groups: readonly RunGroup[]): Markup | undefined {
  const tables = groups.flatMap(({ label, runs }) => {
    const [run] = runs;
    const confusion = run && finalConfusion(run);
    const mistakes = run?.finish?.mistakes ?? [];
    if (!confusion && mistakes.length === 0) return [];
    const whose = [
      groups.length > 1 ? label : '',
      runs.length > 1 ? `seed ${run.facts.seed} of ${runs.length}` : '',
    ];
    const name = whose.filter((part) => part !== '').join(', ');
    const title = name !== '' && markup`<p>${name}</p>`;
    const tables = [confusion && classesTable(name, confusion), wrongPredictions(name, mistakes)];
    return [markup`${title}${tables}`];
  });
  return tables.length > 0 ? markup`${tables}` : undefined;
}

function classesTable(label: string, confusion: EventOf<'confusion'>): Markup {
  const head = [
    '',
    'Precision',
    'Recall',
    'F1',
    'Rows',
    ...confusion.labels.map((name) => `predicted ${name}`),
  ];
  const rows = classRows(confusion, score).map(
    ([name, ...cells]) =>
      markup`<tr><th scope="row">${name}</th>${cells.map((cell) => markup`<td>${cell}</td>`)}</tr>`,
  );
  const name = label === '' ? 'Classes' : `Classes, ${label}`;
  return makeScrollable(name, headedTable(head, rows));
}

function wrongPredictions(label: string, mistakes: NonNullable<FinishEvent['mistakes']>) {
  if (mistakes.length === 0) return undefined;
  const title = 'Most confident wrong predictions';
  const name = label === '' ? title : `${title}, ${label}`;
  const list = mistakes.some(({ preview }) => preview !== undefined)
    ? showWrong(mistakes)
    : wrongTexts(mistakes);
  return markup`<h3>${title}</h3><p class="note">Held-out or cross-validated rows whose predicted class is wrong. Some may have a wrong label.</p>${makeScrollable(name, list)}`;
}

function wrongTexts(mistakes: NonNullable<FinishEvent['mistakes']>): Markup {
  const rows = mistakes.map(({ text, text_pair, label, predicted, probability }) => {
    const texts = text_pair === undefined ? text : markup`${text}<br>${text_pair}`;
    return markup`<tr><td class="text">${texts}</td><td>${label}</td><td>${predicted}</td><td>${score(probability)}</td></tr>`;
  });
  return headedTable(['Text', 'Label', 'Predicted', 'Probability'], rows);
}

function showWrong(mistakes: NonNullable<FinishEvent['mistakes']>): Markup {
  const figures = mistakes.map(
    ({ text, preview, label, predicted, probability }) =>
      markup`<figure>${preview && markup`<img src="${preview}" alt="">`}<figcaption><b>${predicted}</b> ${score(probability)}, not ${label}<br>${text}</figcaption></figure>`,
  );
  return markup`<div class="wrong">${figures}</div>`;
}

function notes(groups: readonly RunGroup[]): Markup | undefined {
  const remarks = groups.flatMap((group) =>
    group.runs.flatMap(({ notices }) =>
      notices.map(({ message }) => (groups.length > 1 ? `${group.label}: ${message}` : message)),
    ),
  );
  const unique = [...new Set(remarks)];
  if (unique.length === 0) return undefined;
  const more = unique.length > MAX_NOTES && markup`<li>and ${unique.length - MAX_NOTES} more</li>`;
  const items = unique.slice(0, MAX_NOTES).map((remark) => markup`<li>${remark}</li>`);
  return markup`<ul>${items}${more}</ul>`;
}

/** All settings: equal ones as a list, different ones as a table. */
function settings(groups: readonly RunGroup[]): Markup {
  const all = groups.map(({ runs: [{ facts }] }) => listSettings(facts));
  const keys = [...new Set(all.flatMap((settings) => [...settings.keys()]))];
  // A method's own settings are in the list, because other methods have no value to compare.
  const differs = (key: string) => {
    const values = all.filter((settings) => settings.has(key)).map((settings) => settings.get(key));
    return new Set(values).size > 1;
  };
  const rows = keys.filter(differs).map((key) => [key, ...all.map((settings) => settings.get(key) ?? '–')]);
  const shared = keys.filter((key) => !differs(key));
  return markup`${rows.length > 0 && table('Settings', groups, rows)}<dl class="settings">${shared.map(
    (key) =>
      markup`<div><dt>${key}</dt><dd>${all.find((settings) => settings.has(key))?.get(key)}</dd></div>`,
  )}</dl>`;
}

/** Indices of the two factors whose orthogonality is measured. The left factor is first. */
const SIDES = [0, 1] as const;
type Side = (typeof SIDES)[number];

/** How far the factors of every matrix are from orthonormal over the run, as in the paper's figure 4. */
function factors(groups: readonly RunGroup[]): Markup | undefined {
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
