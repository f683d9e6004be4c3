import { describe, expect, it } from 'vitest';
import { relativeRows, rowsOfDistances } from './model.ts';

const rows = (position_buckets: number, max_relative_positions: number, first: number, count: number) =>
  rowsOfDistances({ position_buckets, max_relative_positions }, first, count, 1);

describe('rows of relative embeddings', () => {
  it('are one per distance without buckets, up to the farthest', () => {
    expect(relativeRows({ position_buckets: -1, max_relative_positions: 3 })).toBe(6);
    expect(rows(-1, 3, -5, 11)).toEqual([0, 0, 0, 1, 2, 3, 4, 5, 5, 5, 5]);
  });

  it('widen beyond half the buckets, as in transformers 5.24', () => {
    expect(rows(8, 40, 0, 20).join(' ')).toBe('8 9 10 11 12 13 13 13 13 14 14 14 14 14 14 14 14 14 14 15');
    // Here, the logarithm is a whole number: log 2 / log 8 · 3.
    expect(rows(8, 33, 8, 2)).toEqual([13, 14]);
    expect(rows(8, 33, 16, 2)).toEqual([14, 15]);
    expect(rows(8, 33, 32, 3)).toEqual([15, 15, 15]);
    expect(rows(8, 33, -34, 3)).toEqual([0, 0, 1]);
  });

  it('are those of the mirrored distance on the other side', () => {
    const settings = { position_buckets: 256, max_relative_positions: 512 };
    const falling = rowsOfDistances(settings, 511, 1023, -1);
    const rising = rowsOfDistances(settings, -511, 1023, 1);
    expect(falling).toEqual([...rising].reverse());
    expect(falling).toEqual(rising.map((row) => 512 - row));
  });
});
