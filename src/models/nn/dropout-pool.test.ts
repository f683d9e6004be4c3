import { expect, it } from 'vitest';
import { DropoutPool } from './dropout.ts';

const long = new DropoutPool(3, 0.5).atLeast(1000);

it('returns the same draws for any request, in views of one memory', () => {
  const pool = new DropoutPool(3, 0.5);
  const [first, rest] = [pool.read(0, 10), pool.read(900, 1000)];
  expect([...first]).toEqual([...long.subarray(0, 10)]);
  expect([...rest]).toEqual([...long.subarray(900, 1000)]);
  expect(pool.read(0, 10).buffer).toBe(pool.read(700, 900).buffer);
});

it('repeats after its period', () => {
  const pool = new DropoutPool(3, 0.5, 300);
  const expected = Array.from({ length: 1000 }, (_, i) => long[i % 300]);
  expect([...pool.read(610, 890)]).toEqual(expected.slice(610, 890));
  expect([...pool.read(250, 950)]).toEqual(expected.slice(250, 950));
  expect([...pool.atLeast(1000)].slice(0, 1000)).toEqual(expected);
  expect(pool.read(0, 900).buffer).toBe(pool.read(50, 1000).buffer);
});

it('keeps little more than a period for distant parts', () => {
  const pool = new DropoutPool(3, 0.5, 300);
  for (let at = 0; at < 100_000; at += 40) pool.read(at, at + 40);
  expect(pool.read(0, 1).buffer.byteLength).toBeLessThanOrEqual(4 * (300 + 1.25 * 40));
});
