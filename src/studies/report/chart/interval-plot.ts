import { interval } from '../../../scores/stats/interval.ts';
import { addUp, largest } from '../../../support/numbers.ts';
import { score } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { type Box, computeTicks, linear, niceDomain, rounded, xAxis } from './axes.ts';
import { type Captioned, picture, textWidth, WIDTH } from './picture.ts';
import { wrapped } from './style.ts';

export interface IntervalPlot extends Captioned {
  name: string;
  /** A value for each run, and the runs' names. */
  rows: readonly { label: string; tone: number; values: readonly number[]; names: readonly string[] }[];
}

const ROW = 26;
const LINE = 12;
/** Longer labels are wrapped. */
const MAX_LEFT = 140;

/** A row for each group of runs: a dot per run, a stroke for their mean, and a line for its interval. */
export function intervalPlot({ name, rows, ...frame }: IntervalPlot): Markup {
  const labels = rows.map(({ label }) => wrapped(label, MAX_LEFT));
  const left = Math.ceil(largest(labels.flat().map(textWidth))) + 14;
  const heights = labels.map(({ length }) => Math.max(ROW, length * LINE + 8));
  const below = 8 + addUp(heights);
  const box: Box = { left, right: WIDTH - 14, top: 8, bottom: below };
  const intervals = rows.map(({ values }) => interval(values.filter(Number.isFinite)));
  const domain = niceDomain(
    intervals.flatMap(({ mean, half = 0 }, i) => [mean - half, mean + half, ...rows[i]!.values]),
  );
  const x = linear(domain, [box.left, box.right]);
  let bottom = box.top;
  return picture({ ...frame, width: WIDTH, height: box.bottom + 36 }, [
    rows.map(({ label, tone, values, names }, i) => {
      const y = bottom + heights[i]! / 2;
      bottom += heights[i]!;
      const { mean, half } = intervals[i]!;
      const ends = half === undefined ? '' : ` ± ${score(half)}`;
      const line =
        half !== undefined &&
        markup`<line class="whisker t${tone}" x1="${x(mean - half)}" x2="${x(mean + half)}" y1="${y}" y2="${y}"/><line class="curve t${tone}" x1="${x(mean)}" x2="${x(mean)}" y1="${y - 7}" y2="${y + 7}"/>`;
      const firstLine = y + 3.5 - ((labels[i]!.length - 1) * LINE) / 2;
      const texts = labels[i]!.map(
        (text, k) =>
          markup`<text class="series t${tone}" text-anchor="end" x="${left - 8}" y="${firstLine + k * LINE}">${text}</text>`,
      );
      const dots = values.flatMap((value, k) =>
        Number.isFinite(value)
          ? markup`<circle class="dot t${tone}" cx="${rounded(x(value))}" cy="${y}" r="2.8"><title>${names[k]}: ${score(value)}</title></circle>`
          : [],
      );
      return markup`<g><title>${`${label}: ${score(mean)}${ends}`}</title><rect class="stripe" x="0" y="${y - heights[i]! / 2}" width="${WIDTH}" height="${heights[i]}"/>${texts}${line}${dots}</g>`;
    }),
    xAxis(computeTicks(domain), name, x, box),
  ]);
}
