import { describe, expect, it } from 'vitest';
import { power } from '../page/sections/importance.ts';
import { rankTable } from '../rank-table.ts';
import { computeTicks, logDomain, logTicks, niceDomain, niceTicks } from './axes.ts';
import { heatMapChart, heatMapValues } from './heat-map.ts';
import { lineChart } from './line-chart.ts';
import { spreadLabels } from './picture.ts';
import { wrapped } from './style.ts';

describe('ticks', () => {
  it.each([
    [0, 1072, [0, 500, 1000]],
    [0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [-0.3, 0.31, [-0.2, 0, 0.2]],
    [5, 5, [5]],
  ])('of %f to %f are round', (low, high, ticks) => {
    expect(niceTicks(low, high, high < 1072 ? 5 : 3)).toEqual(ticks);
  });

  it('have as many decimals as their distance needs', () => {
    expect(computeTicks([0.619, 0.623]).labels).toEqual(['0.619', '0.620', '0.621', '0.622', '0.623']);
    expect(computeTicks([0, 2e-3]).labels).toEqual(['0', '5e−4', '1e−3', '1.5e−3', '2e−3']);
    expect(computeTicks([-5000, 5000], 2).labels).toEqual(['−5,000', '0', '5,000']);
  });

  it('are in a domain that is never empty', () => {
    expect(niceDomain([0.41, 0.69])).toEqual([0.4, 0.7]);
    expect(niceDomain([0, 0])).toEqual([-1, 1]);
    expect(niceDomain([Number.NaN])).toEqual([0, 1]);
  });

  it('on a logarithmic axis are powers', () => {
    expect([-12, 0, 3, -9.5].map(power)).toEqual(['10⁻¹²', '10⁰', '10³', '3.2e−10']);
  });
});

describe('logarithmic ticks', () => {
  it.each([
    [
      [1, 100],
      ['1', '3', '10', '30', '100'],
    ],
    [
      [20_000, 200_000],
      ['20 k', '50 k', '100 k', '200 k'],
    ],
    [
      [1e-9, 10],
      ['1e−8', '1e−6', '0.0001', '0.01', '1'],
    ],
    [
      [300, 2e6],
      ['1,000', '10 k', '100 k', '1 M'],
    ],
  ])('of %j are round', ([low, high], labels) => {
    expect(logTicks([Math.log10(low!), Math.log10(high!)]).labels).toEqual(labels);
  });

  it('are in a domain that ends at round numbers and is never empty', () => {
    const domain = (...values: number[]) =>
      logDomain(values.map(Math.log10)).map((value) => Number((10 ** value).toPrecision(6)));
    expect(domain(30, 180)).toEqual([20, 200]);
    expect(domain(5)).toEqual([5, 10]);
    expect(logDomain([Number.NaN])).toEqual([0, 1]);
  });
});

describe('labels', () => {
  it('wrap to several lines if they are long, without losing words', () => {
    expect(wrapped('AdaLoRA, target_r 4, init_r 6', 140)).toEqual(['AdaLoRA, target_r 4,', 'init_r 6']);
    expect(wrapped('short', 140)).toEqual(['short']);
    expect(wrapped('AdaLoRA, minilm-cola-rank8-with-a-name', 140)).toEqual([
      'AdaLoRA,',
      'minilm-cola-rank8-with-',
      'a-name',
    ]);
    expect(wrapped('a'.repeat(60), 140)).toEqual(['a'.repeat(24), 'a'.repeat(24), 'a'.repeat(12)]);
  });

  it('stay in place if there is room', () => {
    expect(spreadLabels([10, 40, 25], 12, 0, 100)).toEqual([10, 40, 25]);
  });

  it('move apart as little as possible and stay inside', () => {
    expect(spreadLabels([50, 52], 12, 0, 100)).toEqual([45, 57]);
    const crowded = spreadLabels([98, 99, 97, 20], 12, 0, 100);
    expect(crowded).toEqual([88, 100, 76, 20]);
  });
});

describe('a line chart', () => {
  const frame = { id: 'a', title: 'Loss', description: 'It falls.' };
  const x = { name: 'step', domain: [0, 100] as [number, number] };

  it('has curves between its axes, tooltips, and names only for several curves', () => {
    const curve = {
      label: 'LoRA',
      tone: 0,
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
    const other = { ...curve, label: 'Ada<LoRA>', tone: 1 };
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
      curves: [{ label: 'a', tone: 0, points, band }],
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
      curves: [{ label: 'a', tone: 0, points }],
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
