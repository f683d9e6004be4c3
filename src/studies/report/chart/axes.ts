import { largest, smallest } from '../../../support/numbers.ts';
import { counted, short } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { textWidth, WIDTH } from './picture.ts';

/** Maps a value to pixels. */
export type Scale = (value: number) => number;

/** A linear scale. Its results are rounded to hundredths of a pixel. */
export function linear([low, high]: readonly [number, number], [from, to]: readonly [number, number]): Scale {
  const factor = high === low ? 0 : (to - from) / (high - low);
  return (value) => rounded(from + (value - low) * factor);
}

export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

export interface Ticks {
  values: number[];
  labels: string[];
}

/** Factors of ticks within a power of ten, from coarse to fine. */
const STEPS = [[1], [1, 3], [1, 2, 5]];

/**
 * Ticks at round numbers, as decimal logarithms within a domain of logarithms. Their number is about `about` at most.
 */
export function logTicks([low, high]: readonly [number, number], about = 5): Ticks {
  const inside = (values: readonly number[]) =>
    values.filter((value) => value >= low - 1e-9 && value <= high + 1e-9);
  const choices = STEPS.map((factors) => inside(candidates(low, high, factors)));
  const finest = choices.findLast((values) => values.length <= about + 1) ?? thinned(choices[0]!, about + 1);
  const values = finest.length > 1 ? finest : choices[2]!;
  return { values, labels: values.map((value) => numberLabel(10 ** value)) };
}

/** A domain of logarithms that contains all values and ends at round numbers. It is never empty. */
export function logDomain(logarithms: readonly number[]): [number, number] {
  const finite = logarithms.filter(Number.isFinite);
  if (finite.length === 0) return [0, 1];
  const [low, high] = [smallest(finite), largest(finite)];
  const all = candidates(low - 1, high + 1, STEPS[2]!);
  const from = all.findLast((value) => value <= low + 1e-9)!;
  const to = all.find((value) => value >= high - 1e-9 && value > from + 1e-9)!;
  return [from, to];
}

function candidates(low: number, high: number, factors: readonly number[]): number[] {
  const first = Math.floor(low);
  return Array.from({ length: Math.ceil(high) - first + 1 }, (_, i) =>
    factors.map((factor) => first + i + Math.log10(factor)),
  ).flat();
}

function thinned(values: readonly number[], most: number): number[] {
  const stride = Math.ceil(values.length / most);
  return values.filter((value) => Math.round(value) % stride === 0);
}

/** Formats a number such as `0.02`, `300`, `50 k`, `1.2 M` or `1e−9`. */
function numberLabel(value: number): string {
  const clean = Number(value.toPrecision(3));
  if (clean >= 1e6 && clean < 1e9) return `${Number((clean / 1e6).toPrecision(3))} M`;
  if (clean >= 1e4 && clean < 1e6) return `${Number((clean / 1e3).toPrecision(3))} k`;
  if (clean >= 1e-4 && clean < 1) return `${clean}`;
  return short(clean).replace('.0e', 'e');
}

/** About `about` round values inside [low, high]. Their distance is 1, 2 or 5 times a power of ten. */
export function niceTicks(low: number, high: number, about = 4): number[] {
  if (!(high > low)) return [low];
  const step = niceStep((high - low) / about);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => cleared((first + i) * step));
}

/** A domain that contains all values and ends at round values. It is never empty. */
export function niceDomain(values: readonly number[]): [low: number, high: number] {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [0, 1];
  let [low, high] = [smallest(finite), largest(finite)];
  if (low === high) {
    const room = Math.abs(low) / 10 || 1;
    [low, high] = [low - room, high + room];
  }
  const step = niceStep((high - low) / 4);
  return [cleared(Math.floor(low / step + 1e-9) * step), cleared(Math.ceil(high / step - 1e-9) * step)];
}

function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least * (1 - 1e-9)) ?? 10);
}

/** Removes the last digits, which come from binary fractions. */
function cleared(value: number): number {
  return Number(value.toPrecision(12)) + 0;
}

/** The edges of a plot within its picture. */
export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Round values for ticks. Their labels have as many decimals as the distance between ticks requires. */
export function computeTicks([low, high]: readonly [number, number], about?: number): Ticks {
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
  return Math.ceil(largest(labels.map(textWidth))) + 10;
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
