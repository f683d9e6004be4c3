import { expect, it } from 'vitest';
import { Random } from '../../support/random.ts';
import { quantizeBlocks, quantizeColumns, quantizeTransposed } from './quantize.ts';

const BLOCK = 32;

function restored(values: Float32Array, bits: 4 | 8): Float32Array {
  const { blocks, scales } = quantizeBlocks(values, bits, BLOCK);
  return values.map((_, i) => {
    const integer = bits === 8 ? (blocks[i]! << 24) >> 24 : ((blocks[i >> 1]! >> (4 * (i % 2))) & 15) - 8;
    return integer * scales[Math.floor(i / BLOCK)]!;
  });
}

it.each([
  [8, 1 / 254],
  [4, 1 / 14],
] as const)('%i bits: every element is within half a step of its block', (bits, halfStep) => {
  const values = new Random(1, 'blocks').normals(64 * BLOCK, 1);
  const back = restored(values, bits);
  for (let start = 0; start < values.length; start += BLOCK) {
    const block = values.subarray(start, start + BLOCK);
    const most = Math.max(...block.map(Math.abs));
    block.forEach((value, i) => {
      // With 4 bits, -8 may represent the largest magnitude. Then the largest value of the other sign may be
      // clipped by a whole step of 1 / 8.
      const limit = bits === 4 ? 1 / 8 : halfStep;
      expect(Math.abs(back[start + i]! - value)).toBeLessThanOrEqual(most * limit * (1 + 1e-5));
    });
  }
});

it('4 bits have a smaller error than with the largest magnitude over 7 alone', () => {
  const values = new Random(2, 'blocks').normals(256 * BLOCK, 1);
  const error = (back: Float32Array) => back.reduce((sum, value, i) => sum + (value - values[i]!) ** 2, 0);
  const plain = values.map((value, i) => {
    const start = i - (i % BLOCK);
    const scale = Math.max(...values.subarray(start, start + BLOCK).map(Math.abs)) / 7;
    return Math.round(value / scale) * scale;
  });
  expect(error(restored(values, 4))).toBeLessThan(0.95 * error(plain));
});

it('zeros stay zeros', () => {
  for (const bits of [4, 8] as const)
    expect(restored(new Float32Array(2 * BLOCK), bits)).toEqual(new Float32Array(2 * BLOCK));
});

const ROWS = [
  [1, -127, 63.4],
  [0, 0, 0],
];
const row = (at: number) => Float32Array.from(ROWS[at]!);

it('quantizing columns returns the transpose, each row over its own largest magnitude', () => {
  const { bytes, scales } = quantizeTransposed(2, 3, row);
  expect([...scales]).toEqual([1, 0]);
  expect([...new Int8Array(bytes.buffer)]).toEqual([1, 0, -127, 0, 63, 0]);
});

it('quantizing columns also returns the matrix itself, each column over its own largest magnitude', () => {
  const { bytes, scales } = quantizeColumns(2, 3, row);
  expect([...scales]).toEqual([1 / 127, 1, Math.fround(63.4) / 127].map(Math.fround));
  expect([...new Int8Array(bytes.buffer)]).toEqual([127, -127, 127, 0, 0, 0]);
});
