import { expect, it } from 'vitest';
import { sparkline } from './inspect.ts';

it('a sparkline goes from the smallest to the largest value', () => {
  expect(sparkline([0, 1, 7])).toBe('▁▂█');
  expect(sparkline([3])).toBe('▁');
  expect(sparkline([2, 2])).toBe('▁▁');
  expect(sparkline([0, Number.NaN, 7])).toBe('▁ █');
  expect(sparkline([])).toBe('');
});

it('a long sparkline has the first and the last value', () => {
  const line = sparkline(Array.from({ length: 101 }, (_, i) => i));
  expect(line).toHaveLength(24);
  expect(line).toMatch(/^▁.*█$/);
});
