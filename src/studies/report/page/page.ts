import { type Content, Markup, markup } from '../markup.ts';
import type { RunGroup } from '../run/group-runs.ts';
import { pageScript } from './page-script.ts';
import { describeLead, reportTitle } from './sections/summary.ts';
import { listSections, sectionMarkup } from './sections.ts';
import { STYLE } from './style.ts';

interface Page {
  title: string;
  /** The page's content security policy. */
  policy: string;
  body: Content;
  script: string;
  /** Seconds after which the page reloads itself. */
  refresh?: number | undefined;
}

/** A tiny map of ranks. Without an icon, browsers request one from the server. */
const ICON =
  "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 3 3'><path fill='%23c3cddb' d='M0 0h3v3H0'/><path fill='%231f4e8c' d='M0 2h1v1H0M1 0h1v2H1M2 1h1v1H2'/></svg>";

/** A self-contained HTML page with its style and script. */
function htmlPage({ title, policy, body, script, refresh }: Page): string {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
${refresh !== undefined && markup`<meta http-equiv="refresh" content="${refresh}">\n`}<title>${title}</title>
<link rel="icon" href="${ICON}">
<style>${new Markup(STYLE)}</style>
</head>
<body>
${body}
<script>${new Markup(script)}</script>
</body>
</html>
`.text;
}

/** Turns self-contained functions into a script that calls them. */
function joinScripts(...functions: readonly (() => void)[]): string {
  // A compiler that keeps function names inserts calls of a helper `__name` into the functions' text.
  const helper = 'const __name=(named)=>named;';
  return [helper, ...functions.map((run) => `(${run})();`)].join('\n');
}

/** Start of the footer of every report. It distinguishes reports from other files. */
export const DRAWN_BY = 'Drawn by adalora from the events of the';

export const REPORT_SCRIPT = joinScripts(pageScript);

/**
 * The report of some runs as one self-contained HTML page. It is readable without scripts. The same runs give the same
 * page.
 *
 * @param policy the page's Content-Security-Policy, from `contentPolicy` for `REPORT_SCRIPT`
 * @param refresh seconds after which the page reloads itself, while a run is active
 */
export function reportPage(groups: readonly RunGroup[], policy: string, refresh?: number): string {
  const sections = listSections(groups).filter(({ body }) => body !== undefined);
  const title = reportTitle(groups);
  const body = markup`<header><h1>${title}</h1><p class="lead">${describeLead(groups)}</p></header>
<main${groups.length === 1 && markup` class="one"`}>
${sections.map((section) => markup`${sectionMarkup(section)}\n`)}</main>
<footer>${DRAWN_BY} ${groups.length === 1 && groups[0]!.runs.length === 1 ? 'run' : 'runs'}.</footer>`;
  return htmlPage({ title, policy, body, script: REPORT_SCRIPT, refresh });
}
