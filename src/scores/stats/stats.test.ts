import { expect, it } from 'vitest';
import { interval } from './interval.ts';
import { meanSeries, type Point, thinPoints } from './series.ts';

it('an interval of a mean is its t interval', () => {
  // scipy.stats.t.interval(0.95, 2, 0.23, scipy.stats.sem([.22, .23, .24]))
  const { mean, half } = interval([0.22, 0.23, 0.24]);
  expect(mean).toBeCloseTo(0.23, 12);
  expect(half).toBeCloseTo(0.0248413, 6);
  expect(interval([0.5])).toEqual({ mean: 0.5, count: 1 });
});

it('a mean curve has the common steps, and a band', () => {
  const { points, band } = meanSeries([
    [
      [1, 2],
      [2, 4],
      [3, 1],
    ],
    [
      [1, 4],
      [2, Number.NaN],
      [3, 1],
    ],
  ]);
  expect(points).toEqual([
    [1, 3],
    [3, 1],
  ]);
  expect(band?.[1]).toEqual([3, 1, 1]);
  expect(band?.[0]?.[2]).toBeCloseTo(3 + 12.7062, 3);
  expect(meanSeries([[[1, 2]]])).toEqual({ points: [[1, 2]] });
});

it('a long curve is thinned to means of neighbors', () => {
  const long = Array.from({ length: 1000 }, (_, i): Point => [i, i % 2]);
  const thin = thinPoints(long);
  expect(thin.length).toBe(200);
  expect(thin[0]).toEqual([4, 0.4]);
  expect(thin.at(-1)![0]).toBe(999);
});
