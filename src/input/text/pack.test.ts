import { expect, it } from 'vitest';
import { Random } from '../../support/random.ts';
import { pack, unpacked } from './pack.ts';

const rowsOf = ({ items, starts }: ReturnType<typeof pack>) =>
  Array.from({ length: starts.length - 1 }, (_, row) => [...items.subarray(starts[row], starts[row + 1])]);

it('places the longest first, each in the fullest row that has room', () => {
  expect(rowsOf(pack(Int32Array.of(2, 7, 5, 3, 3, 10), 10))).toEqual([[5], [1, 3], [2, 4, 0]]);
});

it('keeps every item, within the capacity, in few rows', () => {
  const random = new Random(1, 'pack');
  const lengths = Int32Array.from({ length: 3000 }, () => 1 + random.integer(256));
  const rows = rowsOf(pack(lengths, 256));
  expect(rows.flat().sort((a, b) => a - b)).toEqual([...lengths.keys()]);
  const sums = rows.map((row) => row.reduce((sum, item) => sum + lengths[item]!, 0));
  expect(Math.max(...sums)).toBeLessThanOrEqual(256);
  const fewest = Math.ceil(lengths.reduce((a, b) => a + b) / 256);
  expect(rows.length).toBeLessThan(1.02 * fewest);
  expect(pack(lengths, 256)).toEqual(pack(lengths, 256));
});

it('has a row per item without packing', () => {
  expect(rowsOf(unpacked(3))).toEqual([[0], [1], [2]]);
  expect(rowsOf(pack(new Int32Array(), 8))).toEqual([]);
});
