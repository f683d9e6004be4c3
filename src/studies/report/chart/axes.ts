import { counted } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { niceTicks, type Ticks } from './nice-ticks.ts';
import { textWidth, WIDTH } from './picture.ts';
import { rounded, type Scale } from './scale.ts';

/** The edges of a plot within its picture. */
export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Round values for ticks. Their labels have as many decimals as the distance between ticks requires. */
export function ticksOf([low, high]: readonly [number, number], about?: number): Ticks {
  const values = niceTicks(low, high, about);
  const step = values.length > 1 ? values[1]! - values[0]! : Math.abs(values[0]!) || 1;
  const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
  const isTiny = values.every((value) => Math.abs(value) < 0.01);
  return { values, labels: values.map((value) => tickLabel(value, decimals, isTiny)) };
}

function tickLabel(value: number, decimals: number, isTiny: boolean): string {
  if (value === 0) return '0';
  const text = isTiny
    ? value.toExponential().replace(/e-?/, (e) => (e === 'e-' ? 'e−' : 'e'))
    : decimals > 0
      ? value.toFixed(decimals)
      : `${value < 0 ? '-' : ''}${counted(Math.abs(value))}`;
  return text.replace(/^-/, '−');
}

/** Width in pixels to reserve left of a plot for the labels of its y axis. */
export function roomFor({ labels }: Ticks): number {
  return Math.ceil(Math.max(...labels.map(textWidth))) + 10;
}

/** Grid lines with labels at the left, and the axis name above them. */
export function yAxis(ticks: Ticks, name: string, scale: Scale, box: Box): Markup {
  const { values, labels } = ticks;
  const texts = values.map(
    (value, i) =>
      markup`<text class="axis" text-anchor="end" x="${box.left - 6}" y="${rounded(scale(value) + 3.5)}">${labels[i]}</text>`,
  );
  return markup`${name !== '' && markup`<text class="axis name" x="0" y="${box.top - 11}">${name}</text>`}${gridLines(ticks, scale, box)}${texts}`;
}

/** The grid lines without labels. */
export function gridLines({ values }: Ticks, scale: Scale, { left, right }: Box): Markup[] {
  return values.map(
    (value) =>
      markup`<line class="grid" x1="${left}" x2="${right}" y1="${scale(value)}" y2="${scale(value)}"/>`,
  );
}

/** Labels below a plot, and the axis name below them at the right. */
export function xAxis({ values, labels }: Ticks, name: string, scale: Scale, box: Box): Markup {
  return markup`<line class="axis-line" x1="${box.left}" x2="${box.right}" y1="${box.bottom}" y2="${box.bottom}"/>${values.map(
    (value, i) =>
      markup`<line class="axis-line" x1="${scale(value)}" x2="${scale(value)}" y1="${box.bottom}" y2="${box.bottom + 4}"/><text class="axis" text-anchor="middle" x="${within(scale(value), labels[i]!)}" y="${box.bottom + 15}">${labels[i]}</text>`,
  )}<text class="axis name" text-anchor="end" x="${box.right}" y="${box.bottom + 28}">${name}</text>`;
}

/** The center of a label below a tick. It is moved if the label would reach beyond the picture. */
function within(centre: number, label: string): number {
  const half = textWidth(label) / 2;
  return rounded(Math.max(half, Math.min(WIDTH - half, centre)));
}
