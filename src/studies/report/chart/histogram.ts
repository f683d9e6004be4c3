import { type Markup, markup } from '../markup.ts';
import { type Box, linear, niceTicks, rounded, type Scale, type Ticks, xAxis } from './axes.ts';
import { type Captioned, picture, WIDTH } from './picture.ts';

export interface Histogram extends Captioned {
  /** The unit that the chart counts: triplets or doublets. */
  components: string;
  /** As decimal logarithms. */
  edges: readonly number[];
  kept: readonly number[];
  dropped: readonly number[];
  /** The position of the cut, as a decimal logarithm. */
  cut: number | undefined;
}

const HEIGHT = 196;

/**
 * A histogram of components' scores on a logarithmic axis, kept components above dropped ones, with a line at the cut.
 * The tallest bar fills the plot's height and shows its count.
 */
export function histogram({ components, edges, kept, dropped, cut, ...frame }: Histogram): Markup {
  const { box, x } = geometry(edges);
  const most = Math.max(1, ...kept.map((count, i) => count + dropped[i]!));
  const y = linear([0, most], [box.bottom, box.top]);
  const bars = kept.map((count, i) => {
    const [left, right] = [x(edges[i]!), x(edges[i + 1]!)];
    const width = rounded(Math.max(1, right - left - 1));
    const title = `${power(edges[i]!)} to ${power(edges[i + 1]!)}: ${count} kept, ${dropped[i]} dropped`;
    const [upper, lower] = [y(count + dropped[i]!), y(dropped[i]!)];
    return markup`<g class="bin" data-i="${i}"><title>${title}</title><rect class="dropped" x="${left}" width="${width}" y="${lower}" height="${rounded(box.bottom - lower)}"/><rect class="kept" x="${left}" width="${width}" y="${upper}" height="${rounded(lower - upper)}"/></g>`;
  });
  const line = cut === undefined ? box.left : x(cut);
  return picture({ ...frame, width: WIDTH, height: HEIGHT }, [
    markup`<text class="axis name" x="0" y="11">${components}</text><line class="grid" x1="${box.left}" x2="${box.right}" y1="${box.top}" y2="${box.top}"/><text class="axis most" text-anchor="end" x="${box.left - 6}" y="${box.top + 3.5}">${most}</text>`,
    bars,
    xAxis(powerTicks([edges[0]!, edges.at(-1)!], 5), 'importance', x, box),
    markup`<g class="cut"${cut === undefined && markup` visibility="hidden"`} transform="translate(${line} 0)"><line class="mark" y1="${box.top - 6}" y2="${box.bottom}"/><text class="axis" text-anchor="middle" y="${box.top - 9}">cut</text></g>`,
  ]);
}

/**
 * The numbers for the script that moves the bars: the y position of the base line, the height of the tallest bar and
 * the x position of a cut, in pixels.
 */
export function histogramGeometry(edges: readonly number[]): { base: number; height: number; x: Scale } {
  const { box, x } = geometry(edges);
  return { base: box.bottom, height: box.bottom - box.top, x };
}

function geometry(edges: readonly number[]): { box: Box; x: Scale } {
  const box: Box = { left: 34, right: WIDTH - 14, top: 28, bottom: HEIGHT - 34 };
  return { box, x: linear([edges[0]!, edges.at(-1)!], [box.left, box.right]) };
}

/** About `about` ticks of a domain of decimal logarithms, whole ones if possible. */
export function powerTicks([low, high]: readonly [number, number], about: number): Ticks {
  const all = niceTicks(low, high, about);
  const whole = all.filter(Number.isInteger);
  const values = whole.length > 1 ? whole : all;
  return { values, labels: values.map(power) };
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Formats a power of ten: `10⁻⁹` for −9; for a fraction `3.2e−10`. */
export function power(logarithm: number): string {
  if (!Number.isInteger(logarithm))
    return (10 ** logarithm).toExponential(1).replace('-', '−').replace('+', '');
  const digits = `${Math.abs(logarithm)}`.replace(/\d/g, (digit) => SUPERSCRIPTS[Number(digit)]!);
  return `10${logarithm < 0 ? '⁻' : ''}${digits}`;
}
