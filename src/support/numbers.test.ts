import { expect, it } from 'vitest';
import { isSampled } from './numbers.ts';

const sampled = (count: number, most: number) =>
  Array.from({ length: count }, (_, i) => i + 1).filter((number) => isSampled(number, count, most));

it('selects all if there are few', () => {
  expect(sampled(5, 8)).toEqual([1, 2, 3, 4, 5]);
});

it('selects the first, the last and evenly spaced ones between if there are many', () => {
  const some = sampled(1000, 30);
  expect(some.length).toBeLessThanOrEqual(31);
  expect(some[0]).toBe(1);
  expect(some.at(-1)).toBe(1000);
  const gaps = some.slice(1, -1).map((number, i) => number - some[i]!);
  expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(1);
});
