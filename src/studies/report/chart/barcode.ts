import type { SplitScores } from '../../../scores/stats/score-bins.ts';
import { type Markup, markup } from '../markup.ts';
import { type Box, xAxis } from './axes.ts';
import { power } from './histogram.ts';
import { niceTicks } from './nice-ticks.ts';
import { type Frame, picture, textWidth, WIDTH } from './picture.ts';
import { linear } from './scale.ts';

export interface Barcode extends Omit<Frame, 'width' | 'height'> {
  rows: readonly (SplitScores & { label: string })[];
  /** As decimal logarithms. */
  domain: [number, number];
  cut: number | undefined;
}

const ROW = 20;
const TICK = 13;

/** Draws every triplet as a stroke at its importance, one row per group. Dropped triplets are pale, left of the cut. */
export function barcode({ rows, domain, cut, ...frame }: Barcode): Markup {
  const left = Math.ceil(Math.max(...rows.map(({ label }) => textWidth(label)))) + 10;
  const box: Box = { left, right: WIDTH - 40, top: 22, bottom: 22 + rows.length * ROW };
  const x = linear(domain, [box.left, box.right]);
  const all = niceTicks(domain[0], domain[1], 4);
  const whole = all.filter(Number.isInteger);
  const values = whole.length > 1 ? whole : all;
  const strokes = (scores: readonly number[], y: number) =>
    scores.map((score) => `M${x(score)} ${y}v${TICK}`).join('');
  return picture({ ...frame, width: WIDTH, height: box.bottom + 36 }, [
    cut !== undefined &&
      markup`<line class="mark" x1="${x(cut)}" x2="${x(cut)}" y1="${box.top - 4}" y2="${box.bottom}"/><text class="axis" text-anchor="middle" x="${x(cut)}" y="${box.top - 8}">cut</text>`,
    markup`<text class="axis" text-anchor="end" x="${WIDTH - 2}" y="${box.top - 8}">kept</text>`,
    rows.map(({ label, kept, dropped, keptCount, count }, i) => {
      const y = box.top + i * ROW;
      const share = count === 0 ? 0 : Math.round((100 * keptCount) / count);
      return markup`<g><title>${`${label}: ${keptCount} of ${count} kept`}</title><rect class="stripe" x="0" y="${y - 3}" width="${WIDTH}" height="${ROW}"/><text class="axis" text-anchor="end" x="${left - 8}" y="${y + 10}">${label}</text><path class="dropped" d="${strokes(dropped, y)}"/><path class="kept" d="${strokes(kept, y)}"/><text class="mean" text-anchor="end" x="${WIDTH - 2}" y="${y + 10}">${share} %</text></g>`;
    }),
    xAxis({ values, labels: values.map(power) }, 'importance', x, box),
  ]);
}
