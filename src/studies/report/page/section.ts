import { type Captioned, chooseTone } from '../chart/svg-figure.ts';
import { capital } from '../format.ts';
import { type Content, type Markup, markup } from '../markup.ts';
import type { RunGroup } from '../run/group-runs.ts';

/** A title, which names the group if there are several. */
export function groupTitle(group: RunGroup, isNamed: boolean, text: string): string {
  return capital(isNamed ? `${group.label}: ${text}` : text);
}

interface FigureParts {
  /** Default: the title and the description. */
  caption?: Content;
  /** Controls between the figure and the caption. */
  controls?: Content;
  /** Whether the figure takes all available width. */
  isWide?: boolean;
}

/** A figure that `draw` makes of its content, with a caption and a link to download it. */
export function figure<Plot extends Captioned>(
  draw: (plot: Plot) => Markup,
  plot: Plot,
  { caption, controls, isWide }: FigureParts = {},
): Markup {
  const { id, title, description } = plot;
  const text = caption ?? markup`<b>${title}.</b> ${description}`;
  return markup`<figure${isWide && markup` class="wide"`}><div class="plot">${draw(plot)}</div>${controls}<figcaption><span>${text}</span> <a class="download" hidden href="#${id}" download="${id}.svg" aria-label="Save as SVG: ${id}">SVG</a></figcaption></figure>`;
}

/** Figures beside each other. Undefined without figures. */
export function figures(all: readonly (Markup | undefined)[]): Markup | undefined {
  return all.some(Boolean) ? markup`<div class="figures">${all}</div>` : undefined;
}

/**
 * A table with a column for each group of runs. The first cell names the row. Columns are named if there are several.
 * Equal values are shown once. A table that is too wide scrolls.
 */
export function table(
  label: string,
  groups: readonly RunGroup[],
  rows: readonly (readonly Content[])[],
): Markup {
  const names = groups.map(
    (group, i) => markup`<th scope="col"><span class="key ${chooseTone(i)}"></span>${group.label}</th>`,
  );
  const head = groups.length > 1 && markup`<thead><tr><td></td>${names}</tr></thead>`;
  const body = rows.map(([name, ...cells]) => {
    const isShared = cells.length > 1 && cells.every((cell) => cell === cells[0] && cell !== '');
    const row = isShared
      ? markup`<td colspan="${cells.length}">${cells[0]}</td>`
      : cells.map((cell) => markup`<td>${cell}</td>`);
    return markup`<tr><th scope="row">${name}</th>${row}</tr>`;
  });
  return makeScrollable(label, markup`<table>${head}<tbody>${body}</tbody></table>`);
}

/** An element that scrolls if its content is too wide. */
export function makeScrollable(label: string, content: Content): Markup {
  return markup`<div class="scroll" tabindex="0" role="group" aria-label="${label}">${content}</div>`;
}

/** A table with a name for each column. */
export function headedTable(head: readonly string[], rows: Content): Markup {
  return markup`<table><thead><tr>${head.map((cell) => markup`<th scope="col">${cell}</th>`)}</tr></thead><tbody>${rows}</tbody></table>`;
}
