import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { isInt4, loftqFactors } from './loftq-factors.ts';

const { rows, columns, rounding, cases } = JSON.parse(
  readFileSync('src/tuners/lora/fixtures/loftq.json', 'utf8'),
) as {
  rows: number;
  columns: number;
  /** ‖W - Q‖ */
  rounding: number;
  /** `residual` is ‖W - Q - s B A‖, `firstRow` the first row of s B A. */
  cases: { rank: number; residual: number; firstRow: number[] }[];
};

/** The weight in scripts/oracle/loftq.py. */
const weight = Float32Array.from({ length: rows * columns }, (_, i) => {
  const draw = (i * 1103515245 + 7) % 2147483647;
  return (draw / 2 ** 30 - 1) * 0.1;
});

it.each(cases)('of rank $rank take back the rounding as numpy does', ({ rank, residual, firstRow }) => {
  const scale = 0.5;
  const module = { path: 'm', inFeatures: columns, outFeatures: rows, rank, scale };
  const { a, b } = loftqFactors(module, weight);
  const increment = (i: number, j: number) => {
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += b[i * rank + k]! * a[k * columns + j]!;
    return scale * sum;
  };
  // A, B and W - Q are float32.
  firstRow.forEach((value, j) => expect(Math.abs(increment(0, j) - value)).toBeLessThan(3e-7));
  // The squared lengths of an optimal approximation and of the remaining error add up to that of the whole.
  let square = 0;
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) square += increment(i, j) ** 2;
  expect(Math.sqrt(rounding ** 2 - square)).toBeCloseTo(residual, 5);
  expect(residual).toBeLessThan(rounding);
});

it('exist for weights that an int4 base rounds', () => {
  const sizes = { path: 'm', outFeatures: 4 };
  expect(isInt4({ ...sizes, inFeatures: 128 })).toBe(true);
  expect(isInt4({ ...sizes, inFeatures: 96 })).toBe(false);
  expect(isInt4({ ...sizes, inFeatures: 128, transposed: true })).toBe(false);
});
