import { describe, expect, it } from 'vitest';
import { bootstrap, meanInterval, wilson } from './score-interval.ts';

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

  it('of a mean is about as wide as the central limit theorem predicts, and the same each time', () => {
    const values = Array.from({ length: 400 }, (_, i) => i % 2);
    const [low, high] = meanInterval(values)!;
    // 1.96 * 0.5 / 20 = 0.049. A thousand resamples cause an error of about 0.003.
    expect(Math.abs(low - 0.451)).toBeLessThan(0.01);
    expect(Math.abs(high - 0.549)).toBeLessThan(0.01);
    expect(meanInterval(values)).toEqual([low, high]);
  });

  it('is missing if the score is undefined, or there is one row', () => {
    expect(bootstrap(50, () => Number.NaN)).toBeUndefined();
    expect(meanInterval([1])).toBeUndefined();
  });
});
