import { expect, it } from 'vitest';
import { Random } from '../../support/random.ts';
import { gradientNoise } from './gradient.ts';

const WIDTH = 8;
const square = (g: readonly number[]) => g.reduce((sum, x) => sum + x * x, 0);

it.each([[[4, 4]], [[2, 6, 8]]])(
  'estimates variance and squared length from parts of %j examples',
  (sizes) => {
    const random = new Random(1, 'noise');
    const total = sizes.reduce((a, b) => a + b);
    const sums = { variance: 0, squared: 0 };
    const steps = 4000;
    for (let step = 0; step < steps; step++) {
      const whole = new Array<number>(WIDTH).fill(0);
      const parts = { squares: 0, perPart: 0, perStep: 0 };
      for (const size of sizes) {
        const share = size / total;
        // The mean of `size` gradients. Each of 8 components has mean 0.5 and standard deviation 2.
        const mean = Array.from({ length: WIDTH }, () => 0.5 + (2 * random.normal()) / Math.sqrt(size));
        mean.forEach((x, i) => {
          whole[i]! += share * x;
        });
        parts.squares += share * square(mean);
        parts.perPart += share / size;
        parts.perStep += share ** 2 / size;
      }
      const { variance, squared } = gradientNoise(parts, square(whole))!;
      sums.variance += variance / steps;
      sums.squared += squared / steps;
    }
    // The true values are 8 · 2² and 8 · 0.5². The bounds are about five standard errors of 4,000 steps.
    expect(Math.abs(sums.variance - 32)).toBeLessThan(2.5);
    expect(Math.abs(sums.squared - 2)).toBeLessThan(0.3);
  },
);

it('has no estimate for a step of one part', () => {
  expect(gradientNoise({ squares: 2, perPart: 0.25, perStep: 0.25 }, 2)).toBeUndefined();
});
