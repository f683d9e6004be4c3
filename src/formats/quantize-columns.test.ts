import { expect, it } from 'vitest';
import { quantizeColumns } from './quantize-columns.ts';

it('gives the transposition, each output over its own largest magnitude', () => {
  const rows = [
    [1, -127, 63.4],
    [0, 0, 0],
  ];
  const { bytes, scales } = quantizeColumns(2, 3, (output) => Float32Array.from(rows[output]));
  expect([...scales]).toEqual([1, 0]);
  expect([...new Int8Array(bytes.buffer)]).toEqual([1, 0, -127, 0, 63, 0]);
});
