import { describe, expect, it } from 'vitest';
import type { Point } from '../../../scores/stats/series.ts';
import { rankTable } from '../rank-table.ts';
import { heatMapChart, heatMapValues } from './heat-map.ts';
import { line, lineChart, plot } from './plot.ts';
import { legend, wrapText } from './svg-figure.ts';

const frame = { id: 'a', title: 'Loss', description: 'It falls.' };

describe('the labels of an axis', () => {
  const axis = (values: readonly number[], isLogarithmic: boolean, ticks: number) => {
    const points = values.map((value): Point => [0, value]);
    const marks = [line({ label: '', color: 't0', points })];
    const svg = plot({
      ...frame,
      x: { names: ['x'] },
      y: { isLogarithmic, ticks },
      panels: [{ marks }],
    }).text;
    expect(svg).not.toMatch(/NaN|Infinity/);
    return [...svg.matchAll(/text-anchor="end"[^>]*>([^<]+)/g)].map(([, label]) => label);
  };

  it.each([
    [[0.41, 0.69], 4, ['0.4', '0.5', '0.6', '0.7']],
    [[0.619, 0.623], 4, ['0.619', '0.620', '0.621', '0.622', '0.623']],
    [[0, 2e-3], 4, ['0', '5e−4', '1e−3', '1.5e−3', '2e−3']],
    [[-5000, 5000], 2, ['−5,000', '0', '5,000']],
    [[5, 5], 2, ['4.5', '5.0', '5.5']],
    [[Number.NaN], 2, ['0', '0.5', '1.0']],
  ])('are round numbers around %j', (values, ticks, labels) => {
    expect(axis(values, false, ticks)).toEqual(labels);
  });

  it.each([
    [
      [1, 100],
      ['1', '2', '10', '20', '100'],
    ],
    [
      [20_000, 200_000],
      ['20K', '30K', '40K', '50K', '100K', '200K'],
    ],
    [
      [0, -1, 1e-9, 10],
      ['1e−8', '1e−6', '0.0001', '0.01', '1'],
    ],
    // Too narrow for a power of ten.
    [
      [0.96, 0.99],
      ['0.96', '0.965', '0.97', '0.975', '0.98', '0.985', '0.99'],
    ],
    [[Number.NaN], ['1', '2', '3', '4', '5', '10']],
  ])('on a logarithmic axis lie within %j', (values, labels) => {
    expect(axis(values, true, 5)).toEqual(labels);
  });
});

describe('labels', () => {
  it('wrap to several lines if they are long, without losing words', () => {
    expect(wrapText('AdaLoRA, target_r 4, init_r 6', 140)).toEqual(['AdaLoRA, target_r 4,', 'init_r 6']);
    expect(wrapText('short', 140)).toEqual(['short']);
    expect(wrapText('AdaLoRA, minilm-cola-rank8-with-a-name', 140)).toEqual([
      'AdaLoRA,',
      'minilm-cola-rank8-with-',
      'a-name',
    ]);
    expect(wrapText('a'.repeat(60), 140)).toEqual(['a'.repeat(24), 'a'.repeat(24), 'a'.repeat(12)]);
  });
  it('of a legend share lines while they fit, and wrap if they are long', () => {
    const entry = (label: string) => ({ label, color: 't0' });
    const heights = (...labels: string[]) => legend(labels.map(entry)).height;
    expect(heights('LoRA', 'AdaLoRA')).toBe(heights('LoRA'));
    expect(heights('a'.repeat(40), 'b'.repeat(40))).toBeGreaterThan(heights('LoRA'));
    expect(legend([entry('a word '.repeat(20))]).content.length).toBeGreaterThan(2);
  });
});

describe('a line chart', () => {
  const x = { name: 'step', domain: [0, 100] as [number, number] };

  it('has curves between its axes, tooltips, and names only for several curves', () => {
    const curve = {
      label: 'LoRA',
      color: 't0',
      points: [
        [0, 1],
        [50, 0.5],
        [100, 0],
      ] as [number, number][],
    };
    const one = lineChart({ ...frame, x, y: { name: 'loss' }, curves: [curve] }).text;
    expect(one).toContain('role="img" aria-labelledby="a-title a-desc"');
    expect(one).toMatch(/<polyline class="curve t0" points="[\d.]+,22 [\d.]+,98 [\d.]+,174"\/>/);
    expect(one).toContain('<title>step 50\n0.500</title>');
    expect(one).not.toContain('class="series');
    const other = { ...curve, label: 'Ada<LoRA>', color: 't1' };
    const two = lineChart({ ...frame, x, y: { name: 'loss' }, curves: [curve, other] }).text;
    expect(two).toContain('>Ada&lt;LoRA&gt;</text>');
    expect(two).toContain('LoRA: 0.500\nAda&lt;LoRA&gt;: 0.500');
  });

  it('has room for the band of a curve', () => {
    const points: [number, number][] = [
      [0, 0.4],
      [100, 0.6],
    ];
    const band = points.map(([at, mean]) => [at, mean - 0.4, mean + 0.4] as const);
    const { text } = lineChart({
      ...frame,
      x,
      y: { name: 'y' },
      curves: [{ label: 'a', color: 't0', points, band }],
    });
    // The lowest and the highest point of the band are the ends of the axis.
    const [, corners] = /class="band t0" points="([^"]+)"/.exec(text)!;
    const heights = corners!.split(' ').map((corner) => Number(corner.split(',')[1]));
    expect([Math.min(...heights), Math.max(...heights)]).toEqual([22, 174]);
  });

  it('has a size independent of the number of points', () => {
    const points = Array.from({ length: 5000 }, (_, i): [number, number] => [i, i]);
    const chart = lineChart({
      ...frame,
      x,
      y: { name: 'y' },
      curves: [{ label: 'a', color: 't0', points }],
    }).text;
    expect([...chart.matchAll(/class="stripe"/g)].length).toBeLessThanOrEqual(61);
  });
});

describe('a heat map', () => {
  it('numbers its cells and means in the order of its values', () => {
    const table = rankTable({ 'm.0.query': 4, 'm.0.key': 1, 'm.1.query': 2 });
    expect(heatMapValues(table)).toEqual([4, 2, 1, null, 3, 1, 2.5, 2, 2.33]);
    const svg = heatMapChart({ id: 'a', title: 't', description: 'd', table, largest: 4 }).text;
    const numbers = [...svg.matchAll(/data-i="(\d+)"/g)].map(([, i]) => Number(i));
    expect(numbers.sort((a, b) => a - b)).toEqual([0, 1, 2, 4, 5, 6, 7, 8]);
  });

  it('names the stacks of a model that has several', () => {
    const table = rankTable({ 'm.encoder.layers.0.fc1': 1, 'm.decoder.layers.0.fc1': 2 });
    const svg = heatMapChart({ id: 'a', title: 't', description: 'd', table, largest: 2 }).text;
    expect(svg).toMatch(/>encoder<\/text>.*>decoder<\/text>/);
  });
});
