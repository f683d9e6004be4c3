import { interval } from '../../../scores/stats/interval.ts';
import type { Point } from '../../../scores/stats/series.ts';
import { largest } from '../../../support/numbers.ts';
import { score } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { LINE, MAX_LEFT, type Mark, plot } from './plot.ts';
import { type Captioned, WIDTH, wrapText } from './svg-figure.ts';

export interface IntervalPlot extends Captioned {
  name: string;
  /** A value for each run, and the runs' names. */
  rows: readonly { label: string; color: string; values: readonly number[]; names: readonly string[] }[];
}

/** The least height of a row. */
const ROW = 26;

/** A row for each group of runs: a dot per run, a stroke for their mean, and a line for its interval. */
export function intervalPlot({ name, rows, ...frame }: IntervalPlot): Markup {
  // A plot's names are from bottom to top.
  const upwards = rows.toReversed();
  const labels = upwards.map(({ label }) => label);
  const height = Math.max(ROW, 8 + LINE * largest(labels.map((label) => wrapText(label, MAX_LEFT).length)));
  const marks = upwards.map(({ label, color, values, names }, row): Mark => {
    const { mean, half } = interval(values.filter(Number.isFinite));
    const ends = half === undefined ? '' : ` ± ${score(half)}`;
    return {
      points: [mean - (half ?? 0), mean + (half ?? 0), ...values].map((value): Point => [value, row]),
      draw({ x, y: up }) {
        const y = up(row);
        const line =
          half !== undefined &&
          markup`<line class="whisker ${color}" x1="${x(mean - half)}" x2="${x(mean + half)}" y1="${y}" y2="${y}"/><line class="curve ${color}" x1="${x(mean)}" x2="${x(mean)}" y1="${y - 7}" y2="${y + 7}"/>`;
        const dots = values.map(
          (value, i) =>
            Number.isFinite(value) &&
            markup`<circle class="dot ${color}" cx="${x(value)}" cy="${y}" r="2.8"><title>${names[i]}: ${score(value)}</title></circle>`,
        );
        return markup`<g><title>${`${label}: ${score(mean)}${ends}`}</title><rect class="stripe" x="0" y="${y - height / 2}" width="${WIDTH}" height="${height}"/>${line}${dots}</g>`;
      },
    };
  });
  const panels = [{ marks }];
  return plot({ ...frame, x: { name }, y: { names: labels }, panels, height: height * rows.length });
}
