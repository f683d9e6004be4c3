import { Sha256 } from '../../../support/sha256.ts';
import { type Content, Markup, markup } from '../markup.ts';
import type { RunGroup } from '../run/group-runs.ts';
import type { RankFrames } from './sections/ranks.ts';
import { describeLead, reportTitle } from './sections/summary.ts';
import { listSections, sectionMarkup } from './sections.ts';
import { STYLE } from './style.ts';

interface Page {
  title: string;
  body: Content;
  script: string;
  /** Seconds after which the page reloads itself. */
  refresh?: number | undefined;
}

/** A tiny map of ranks. Without an icon, browsers request one from the server. */
const ICON =
  "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 3 3'><path fill='%23c3cddb' d='M0 0h3v3H0'/><path fill='%231f4e8c' d='M0 2h1v1H0M1 0h1v2H1M2 1h1v1H2'/></svg>";

/** A self-contained HTML page with its style and script. */
function htmlPage({ title, body, script, refresh }: Page): string {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy(script)}">
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

/**
 * Allows only the page's own style and script, and no loading. Even if text from a run's files became markup, it could
 * do no harm.
 */
function contentPolicy(script: string): string {
  return [
    "default-src 'none'",
    'img-src data:',
    `style-src ${computeHash(STYLE)}`,
    `script-src ${computeHash(script)}`,
    "base-uri 'none'",
  ].join('; ');
}

function computeHash(text: string): string {
  const bytes = new Sha256().update(text).digest('hex').match(/../g)!;
  return `'sha256-${btoa(bytes.map((byte) => String.fromCharCode(Number.parseInt(byte, 16))).join(''))}'`;
}

/** A self-contained function as a script that calls it. */
function scriptText(run: () => void): string {
  // A compiler that keeps function names inserts calls of a helper `__name` into the function's text.
  return `const __name=(named)=>named;(${run})();`;
}

/** Start of the footer of every report. It distinguishes reports from other files. */
export const DRAWN_BY = 'Drawn by adalora from the events of the';

/**
 * The report of some runs as one self-contained HTML page. It is readable without scripts. The same runs give the same
 * page.
 *
 * @param refresh seconds after which the page reloads itself, while a run is active
 */
export function reportPage(groups: readonly RunGroup[], refresh?: number): string {
  const sections = listSections(groups).filter(({ body }) => body !== undefined);
  const title = reportTitle(groups);
  const body = markup`<header><h1>${title}</h1><p class="lead">${describeLead(groups)}</p></header>
<main${groups.length === 1 && markup` class="one"`}>
${sections.map((section) => markup`${sectionMarkup(section)}\n`)}</main>
<footer>${DRAWN_BY} ${groups.length === 1 && groups[0]!.runs.length === 1 ? 'run' : 'runs'}.</footer>`;
  return htmlPage({ title, body, script: scriptText(pageScript), refresh });
}

/**
 * Runs the page's sliders and downloads. An `update` event on the document says that a part of the page is new. It is
 * sent as text, so it must not use anything outside itself.
 */
export function pageScript(): void {
  function show(map: Element): void {
    const input = map.querySelector<HTMLInputElement>('input[type=range]');
    if (!input) return;
    const frames = JSON.parse(map.querySelector('script')!.textContent!) as RankFrames;
    input.parentElement!.hidden = false;
    const index = Number(input.value);
    const text = `${frames.steps[index]!.toLocaleString('en')}: ${frames.budgets[index]!.toLocaleString('en')} ${frames.components}`;
    map.querySelector('output')!.textContent = text;
    input.setAttribute('aria-valuetext', `step ${text}`);
    for (const cell of map.querySelectorAll<SVGElement>('.wide [data-i]')) {
      const value = frames.values[index]![Number(cell.dataset.i)]!;
      if (cell.matches('.mean')) {
        cell.textContent = value.toFixed(1);
        continue;
      }
      const number = Number.isInteger(value) ? `${value}` : value.toFixed(1);
      const shade = frames.largest > 0 ? Math.round((frames.shades * value) / frames.largest) : 0;
      cell.setAttribute('class', `cell h${shade}`);
      cell.querySelector('text')!.textContent = number;
      const title = cell.querySelector('title')!;
      title.textContent = (title.textContent ?? '').replace(/\S+$/, number);
    }
  }

  /** Converts a figure to a file that looks the same elsewhere, with its current colors and fonts. */
  function standalone(svg: SVGElement): string {
    const copy = svg.cloneNode(true) as SVGElement;
    const from = [svg, ...svg.querySelectorAll('*')];
    const to = [copy, ...copy.querySelectorAll('*')];
    const shapes = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'opacity'];
    const texts = ['fill', 'font-family', 'font-size', 'font-style'];
    from.forEach((element, i) => {
      if (!element.matches('text, rect, line, circle, path, polyline, polygon')) return;
      const style = getComputedStyle(element);
      for (const name of element.matches('text') ? texts : shapes)
        (to[i] as SVGElement).style.setProperty(name, style.getPropertyValue(name));
    });
    for (const stripe of copy.querySelectorAll('.stripe')) stripe.remove();
    const paper = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    const box = svg.getAttribute('viewBox')!.split(' ');
    paper.setAttribute('width', box[2]!);
    paper.setAttribute('height', box[3]!);
    paper.setAttribute('fill', getComputedStyle(document.documentElement).backgroundColor);
    copy.insertBefore(paper, copy.querySelector('desc')!.nextSibling);
    return new XMLSerializer().serializeToString(copy);
  }

  function showAll(): void {
    for (const map of document.querySelectorAll('[data-slides]')) show(map);
    for (const link of document.querySelectorAll<HTMLElement>('.download')) link.hidden = false;
  }

  document.addEventListener('input', ({ target }) => {
    const map = (target as Element).closest('[data-slides]');
    if (map) show(map);
  });
  document.addEventListener('click', ({ target }) => {
    const link = (target as Element).closest<HTMLAnchorElement>('a.download');
    const svg = link && document.getElementById(link.download.replace(/\.svg$/, ''));
    if (!link || !svg) return;
    const text = standalone(svg as unknown as SVGElement);
    link.href = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  });
  document.addEventListener('update', showAll);
  showAll();
}
