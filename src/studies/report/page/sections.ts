import { classRows } from '../../../scores/metrics/classes.ts';
import type { EventOf, FinishEvent } from '../../../training/run/events.ts';
import { score } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import type { RunGroup } from '../run/group-runs.ts';
import { finalConfusion, listSettings } from '../run/run-record.ts';
import { headedTable, makeScrollable, table } from './section.ts';
import { curves, optimisation } from './sections/curves.ts';
import { factors } from './sections/factors.ts';
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
