import { markup } from '../markup.ts';
import type { RunGroup } from '../run/group-runs.ts';
import { htmlPage, scriptOf } from './page.ts';
import { pageScript } from './page-script.ts';
import { leadOf, reportTitle } from './sections/summary.ts';
import { sectionMarkup, sectionsOf } from './sections.ts';

/** Start of the footer of every report. It distinguishes reports from other files. */
export const DRAWN_BY = 'Drawn by adalora from the events of the';

export const REPORT_SCRIPT = scriptOf(pageScript);

/**
 * The report of some runs as one self-contained HTML page. It is readable without scripts. The same runs give the same
 * page.
 *
 * @param policy the page's Content-Security-Policy, from `contentPolicy` for `REPORT_SCRIPT`
 */
export function reportPage(groups: readonly RunGroup[], policy: string): string {
  const sections = sectionsOf(groups).filter(({ body }) => body !== undefined);
  const title = reportTitle(groups);
  const body = markup`<header><h1>${title}</h1><p class="lead">${leadOf(groups)}</p></header>
<main${groups.length === 1 && markup` class="one"`}>
${sections.map((section) => markup`${sectionMarkup(section)}\n`)}</main>
<footer>${DRAWN_BY} ${groups.length === 1 && groups[0]!.runs.length === 1 ? 'run' : 'runs'}.</footer>`;
  return htmlPage({ title, policy, body, script: REPORT_SCRIPT });
}
