import { score } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { interval } from '../stats/interval.ts';
import { type Box, ticksOf, xAxis } from './axes.ts';
import { niceDomain } from './nice-ticks.ts';
import { type Frame, picture, textWidth, WIDTH } from './picture.ts';
import { linear, rounded } from './scale.ts';

export interface IntervalPlot extends Omit<Frame, 'width' | 'height'> {
  name: string;
  /** A value for each run. */
  rows: readonly { label: string; tone: number; values: readonly number[] }[];
}

const ROW = 26;

/** A row for each group of runs: a dot for every run, a stroke for their mean, a line for its interval. */
export function intervalPlot({ name, rows, ...frame }: IntervalPlot): Markup {
  const left = Math.min(150, Math.ceil(Math.max(...rows.map(({ label }) => textWidth(label)))) + 10);
  const box: Box = { left, right: WIDTH - 14, top: 8, bottom: 8 + rows.length * ROW };
  const intervals = rows.map(({ values }) => interval(values.filter(Number.isFinite)));
  const domain = niceDomain(
    intervals.flatMap(({ mean, half = 0 }, i) => [mean - half, mean + half, ...rows[i].values]),
  );
  const x = linear(domain, [box.left, box.right]);
  return picture({ ...frame, width: WIDTH, height: box.bottom + 36 }, [
    rows.map(({ label, tone, values }, i) => {
      const y = box.top + (i + 0.5) * ROW;
      const { mean, half } = intervals[i];
      const ends = half === undefined ? '' : ` ± ${score(half)}`;
      const line =
        half !== undefined &&
        markup`<line class="whisker t${tone}" x1="${x(mean - half)}" x2="${x(mean + half)}" y1="${y}" y2="${y}"/><line class="curve t${tone}" x1="${x(mean)}" x2="${x(mean)}" y1="${y - 7}" y2="${y + 7}"/>`;
      return markup`<g><title>${`${label}: ${score(mean)}${ends}`}</title><rect class="stripe" x="0" y="${y - ROW / 2}" width="${WIDTH}" height="${ROW}"/><text class="series t${tone}" text-anchor="end" x="${left - 8}" y="${y + 3.5}">${label}</text>${line}${values
        .filter(Number.isFinite)
        .map(
          (value) => markup`<circle class="dot t${tone}" cx="${rounded(x(value))}" cy="${y}" r="2.8"/>`,
        )}</g>`;
    }),
    xAxis(ticksOf(domain), name, x, box),
  ]);
}
