import { type Markup, markup } from '../markup.ts';
import { type Frame, picture, textWidth } from './picture.ts';
import { linear } from './scale.ts';

export interface BarChart extends Omit<Frame, 'width' | 'height'> {
  /** From top to bottom. `index` identifies a bar for the script that changes its value. */
  bars: readonly { label: string; value: number; index: number }[];
  /** The value of a bar with the full width. */
  largest: number;
}

/** Two charts fit side by side below a heat map. */
const WIDTH = 270;
const ROW = 17;
const BAR = 11;

/** A row for each bar, with its value at the right. */
export function barChart({ bars, largest, ...frame }: BarChart): Markup {
  const left = Math.ceil(Math.max(...bars.map(({ label }) => textWidth(label)))) + 10;
  const length = linear([0, largest], [0, WIDTH - 34 - left]);
  return picture({ ...frame, width: WIDTH, height: bars.length * ROW + 4 }, [
    bars.map(({ label, value, index }, i) => {
      const y = i * ROW + 3;
      return markup`<text class="axis" text-anchor="end" x="${left - 7}" y="${y + 9}">${label}</text><rect class="kept" data-i="${index}" data-unit="${length(1)}" x="${left}" y="${y}" width="${length(value)}" height="${BAR}"/><text class="mean" data-i="${index}" text-anchor="end" x="${WIDTH - 2}" y="${y + 9}">${value.toFixed(1)}</text>`;
    }),
  ]);
}
