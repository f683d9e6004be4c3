import { expect, it } from 'vitest';
import { allReduceTime, scaling } from './scaling.ts';

const GIGABIT = { bandwidth: 125e6, latency: 20e-6 };

it('sends a long vector twice around a ring', () => {
  const { seconds, algorithm } = allReduceTime(160e6, 64, GIGABIT);
  expect(algorithm).toBe('ring');
  expect(seconds).toBeCloseTo(2 * (63 / 64) * 1.28 + 126 * 20e-6, 9);
});

it('sends a short vector whole, to few others', () => {
  expect(allReduceTime(400, 64, GIGABIT)).toEqual({
    seconds: 6 * (20e-6 + 400 / 125e6),
    algorithm: 'recursive doubling',
  });
});

it('is more efficient with more computation per transfer', () => {
  const share = { parameters: 39_999_996, steps: 100, computing: 2.5, evaluations: 64 };
  expect(scaling(share, 1, GIGABIT)).toMatchObject({ allReduce: 0, efficiency: 1, run: 314 });
  const many = scaling(share, 64, GIGABIT);
  expect(many.bytes).toBe(160e6);
  expect(many.efficiency).toBeCloseTo(2.5 / (2.5 + 2.52252), 6);
  expect(many.run).toBeCloseTo(100 * 5.02252 + 1, 6);
});
