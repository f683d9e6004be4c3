import { type Markup, markup } from '../markup.ts';
import type { RunGroup } from '../run/group-runs.ts';
import { listSettings } from '../run/run-record.ts';
import { table } from './section.ts';
import { classes } from './sections/classes.ts';
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
