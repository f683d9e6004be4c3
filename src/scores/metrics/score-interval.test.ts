import { describe, expect, it } from 'vitest';
import { Random } from '../../support/random.ts';
import { bootstrap, exactInterval, meanInterval, shareInterval, wilson } from './score-interval.ts';

const alone = (rows: number) => Int32Array.from({ length: rows }, (_, row) => row);

describe('the 95 % interval of a score', () => {
  // From SciPy: binomtest(right, rows).proportion_ci(method='wilson')
  it.each([
    [70, 76, 0.8383, 0.9633],
    [0, 20, 0, 0.1611],
    [20, 20, 0.8389, 1],
  ])('that is a share, %i of %i, is Wilson’s', (right, rows, low, high) => {
    const found = wilson(right / rows, rows);
    expect(found[0]).toBeCloseTo(low, 4);
    expect(found[1]).toBeCloseTo(high, 4);
  });

  // From SciPy: binomtest(right, rows).proportion_ci(method='exact')
  it.each([
    [7, 10, 0.3475, 0.9333],
    [0, 10, 0, 0.3085],
    [10, 10, 0.6915, 1],
    [300, 400, 0.7046, 0.7917],
  ])('that is a share of few rows, %i of %i, is exact', (right, rows, low, high) => {
    const found = exactInterval(right, rows);
    expect(found[0]).toBeCloseTo(low, 4);
    expect(found[1]).toBeCloseTo(high, 4);
  });

  it('of a mean is about as wide as the central limit theorem predicts, and the same each time', () => {
    const values = Array.from({ length: 400 }, (_, i) => i % 2);
    const [low, high] = meanInterval(values, alone(400))!;
    // 1.96 * 0.5 / 20 = 0.049. A thousand resamples cause an error of about 0.003.
    expect(Math.abs(low - 0.451)).toBeLessThan(0.01);
    expect(Math.abs(high - 0.549)).toBeLessThan(0.01);
    expect(meanInterval(values, alone(400))).toEqual([low, high]);
  });

  it('is missing if the score is undefined, or there is one row', () => {
    expect(bootstrap(alone(50), () => Number.NaN)).toBeUndefined();
    expect(meanInterval([1], alone(1))).toBeUndefined();
  });

  it('of rows with copies is that of the different rows', () => {
    const values = [1, 0, 1, 1, 0, 1, 1, 0, 1, 1];
    const copies = 4;
    const each = values.flatMap((value) => Array<number>(copies).fill(value));
    const groups = alone(each.length).map((row) => Math.floor(row / copies));
    expect(shareInterval(each, groups)).toEqual(wilson(0.7, 10));
    expect(meanInterval(each, groups)).toEqual(meanInterval(values, alone(10)));
    expect(shareInterval(values, alone(10))).toEqual(wilson(0.7, 10));
    expect(shareInterval(Array(40).fill(1), groups)).toEqual(wilson(1, 10));
  });

  it('of rows in groups covers the true share in 95 % of samples', () => {
    const random = new Random(0, 'coverage');
    const [samples, share] = [1000, 0.8];
    let [covered, byRows] = [0, 0];
    for (let sample = 0; sample < samples; sample++) {
      // Each of 60 groups has 1 to 9 rows. Half of the rows have the value of their group.
      const each: number[] = [];
      const groups: number[] = [];
      for (let group = 0; group < 60; group++) {
        const common = Number(random.uniform() < share);
        for (let row = random.integer(9); row >= 0; row--) {
          each.push(random.uniform() < 0.5 ? common : Number(random.uniform() < share));
          groups.push(group);
        }
      }
      const holds = ([low, high]: readonly [number, number]) => Number(low <= share && share <= high);
      covered += holds(shareInterval(each, Int32Array.from(groups)));
      byRows += holds(shareInterval(each, alone(each.length)));
    }
    // The standard error of a share of 1000 samples is 0.7 points. Few groups cost a point or two.
    expect(covered / samples).toBeGreaterThan(0.92);
    expect(byRows / samples).toBeLessThan(0.9);
  });
});
