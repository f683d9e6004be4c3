import { expect, it } from 'vitest';
import { quantizeColumns, quantizeTransposed } from './quantize.ts';

const ROWS = [
  [1, -127, 63.4],
  [0, 0, 0],
];
const row = (at: number) => Float32Array.from(ROWS[at]!);

it('returns the transpose, each row over its own largest magnitude', () => {
  const { bytes, scales } = quantizeTransposed(2, 3, row);
  expect([...scales]).toEqual([1, 0]);
  expect([...new Int8Array(bytes.buffer)]).toEqual([1, 0, -127, 0, 63, 0]);
});

it('returns the matrix itself, each column over its own largest magnitude', () => {
  const { bytes, scales } = quantizeColumns(2, 3, row);
  expect([...scales]).toEqual([1 / 127, 1, Math.fround(63.4) / 127].map(Math.fround));
  expect([...new Int8Array(bytes.buffer)]).toEqual([127, -127, 127, 0, 0, 0]);
});
