import { type Markup, markup } from '../markup.ts';
import { textWidth, WIDTH } from './picture.ts';

const LINE = 13;
const SWATCH = 14;

interface Named {
  label: string;
  tone: number;
}

/** Height in pixels of the curves' names above a plot. */
export function legendHeight(named: readonly Named[]): number {
  return named.flatMap(({ label }) => wrapped(label, WIDTH - SWATCH)).length * LINE + 4;
}

/** The names of the curves at the top of a picture, each with a stroke in its color. */
export function seriesLegend(named: readonly Named[]): Markup[] {
  let y = 0;
  return named.flatMap(({ label, tone }) =>
    wrapped(label, WIDTH - SWATCH).map((line, i) => {
      y += LINE;
      const stroke =
        i === 0 &&
        markup`<line class="curve t${tone}" x1="1" x2="${SWATCH - 4}" y1="${y - 6}" y2="${y - 6}"/>`;
      return markup`${stroke}<text class="series t${tone}" x="${SWATCH}" y="${y - 2.5}">${line}</text>`;
    }),
  );
}

/** Places to break a line, the best first: after a comma, between words, after other punctuation. */
const ENDS = [/^.*, /s, /^.* /s, /^.*[-_/]/s];

/** Wraps a text to lines of at most `width` pixels. */
export function wrapped(text: string, width: number): string[] {
  if (textWidth(text) <= width) return [text];
  const most = Math.max(1, Math.floor(width / textWidth('n')));
  const first = text.slice(0, most);
  // A space at the end of a line takes no width.
  const end = ENDS.map(
    (pattern) => pattern.exec(`${first}${text[most] === ' ' ? ' ' : ''}`)?.[0].length ?? 0,
  );
  const cut = end.find((at) => at > 0) ?? most;
  return [text.slice(0, cut).trimEnd(), ...wrapped(text.slice(cut).trimStart(), width)];
}
