import { markup } from '../markup.ts';
import type { RunGroup } from '../run/group-runs.ts';
import type { Section, SectionOf } from './section.ts';
import { classes } from './sections/classes.ts';
import { cost } from './sections/cost.ts';
import { curves } from './sections/curves.ts';
import { factors } from './sections/factors.ts';
import { importance } from './sections/importance.ts';
import { notes } from './sections/notes.ts';
import { optimisation } from './sections/optimisation.ts';
import { ranks } from './sections/ranks.ts';
import { result } from './sections/result.ts';
import { settings } from './sections/settings.ts';
import { summary } from './sections/summary.ts';

const SECTIONS: readonly SectionOf[] = [
  summary,
  result,
  cost,
  classes,
  ranks,
  importance,
  factors,
  curves,
  optimisation,
  settings,
  notes,
];

/** All sections of a report, from top to bottom. */
export function sectionsOf(groups: readonly RunGroup[]): Section[] {
  return SECTIONS.map((section) => section(groups));
}

/** A section as an element. Without content, it is present but hidden. */
export function sectionMarkup({ id, title, body }: Section) {
  return markup`<section id="${id}"${!body && markup` hidden`}><h2>${title}</h2>${body}</section>`;
}
