import { type Content, type Markup, markup } from '../markup.ts';

/** A short name for a column of a rank table. It saves space beside a figure. */
export function matrixName(column: string): string {
  return column.replace(/\.dense$/, '').replace('attention.output', 'attn. output');
}

/** The accessible name and description of a figure, and an id that is unique on the page. */
export interface Captioned {
  id: string;
  title: string;
  description: string;
}

/** The natural width of a figure: the whole screen of a phone, or a third of a desktop's. */
export const WIDTH = 360;

/**
 * An SVG figure with an accessible name and description. Its colors and fonts come from the page's style. Sizes are in
 * CSS pixels. At the natural size, text is 10 to 11 pixels high.
 */
export function svgFigure(
  { id, width, height, title, description }: Captioned & { width: number; height: number },
  content: Content,
): Markup {
  return markup`<svg xmlns="http://www.w3.org/2000/svg" id="${id}" class="chart${width > WIDTH && ' natural'}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc"><title id="${id}-title">${title}</title><desc id="${id}-desc">${description}</desc>${content}</svg>`;
}

/** The approximate width of a text in pixels, if it is 10 to 11 pixels high. */
export function textWidth(text: string): number {
  return 5.7 * text.length;
}

/** Places to break a line, the best first: after a comma, between words, after other punctuation. */
const ENDS = [/^.*, /s, /^.* /s, /^.*[-_/]/s];

/** Wraps a text to lines of at most `width` pixels. */
export function wrapText(text: string, width: number): string[] {
  if (textWidth(text) <= width) return [text];
  const most = Math.max(1, Math.floor(width / textWidth('n')));
  const first = text.slice(0, most);
  // A space at the end of a line takes no width.
  const end = ENDS.map(
    (pattern) => pattern.exec(`${first}${text[most] === ' ' ? ' ' : ''}`)?.[0].length ?? 0,
  );
  const cut = end.find((at) => at > 0) ?? most;
  return [text.slice(0, cut).trimEnd(), ...wrapText(text.slice(cut).trimStart(), width)];
}

/** The colors of groups of runs, as classes. More groups than colors reuse them. */
export const TONES = 6;

export function chooseTone(group: number): string {
  return `t${group % TONES}`;
}

const LINE = 13;
const SWATCH = 14;

/** The names of curves or bars above a plot, each after a stroke in its color. */
export function legend(entries: readonly { label: string; color: string; dashed?: boolean }[]): {
  height: number;
  content: Markup[];
} {
  let [left, y] = [0, 0];
  const content = entries.flatMap(({ label, color, dashed }) =>
    wrapText(label, WIDTH - SWATCH).map((line, i) => {
      const width = SWATCH + textWidth(line) + SWATCH;
      if (y === 0 || i > 0 || left + width > WIDTH) [left, y] = [0, y + LINE];
      const x = left;
      left += width;
      const stroke =
        i === 0 &&
        markup`<line class="curve ${color}${dashed && ' dashed'}" x1="${x + 1}" x2="${x + SWATCH - 4}" y1="${y - 4}" y2="${y - 4}"/>`;
      return markup`${stroke}<text class="series ${color}" x="${x + SWATCH}" y="${y}">${line}</text>`;
    }),
  );
  return { height: y + 4, content };
}
