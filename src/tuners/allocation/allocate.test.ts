import { describe, expect, it } from 'vitest';
import { Random } from '../../support/random.ts';
import { allocate } from './allocate.ts';

function kept(scores: number[][], budget: number): number[][] {
  const { keep } = allocate(
    scores.map((module) => Float64Array.from(module)),
    budget,
  );
  return keep.map((module) => [...module]);
}

describe('allocate', () => {
  it('keeps the largest over all modules', () => {
    expect(kept([[3, 1], [], [2, 5, 4]], 3)).toEqual([[1, 0], [], [0, 1, 1]]);
    expect(allocate([Float64Array.of(3, 1), Float64Array.of(2, 5, 4)], 3).threshold).toBe(3);
  });

  it('keeps the earlier of equals', () => {
    expect(
      kept(
        [
          [1, 2, 1],
          [1, 2],
        ],
        3,
      ),
    ).toEqual([
      [1, 1, 0],
      [0, 1],
    ]);
    expect(
      kept(
        [
          [0, 0],
          [0, 0],
        ],
        3,
      ),
    ).toEqual([
      [1, 1],
      [1, 0],
    ]);
  });

  it('holds NaN for the least', () => {
    expect(
      kept(
        [
          [Number.NaN, 0],
          [Number.NaN, 1e-300],
        ],
        3,
      ),
    ).toEqual([
      [1, 1],
      [0, 1],
    ]);
  });

  it('keeps none, or all', () => {
    expect(kept([[1, 2]], 0)).toEqual([[0, 0]]);
    expect(allocate([Float64Array.of(1, 2)], 0).threshold).toBe(Infinity);
    expect(kept([[1, 2]], 5)).toEqual([[1, 1]]);
  });

  it('keeps exactly the budget out of 100,000 with many ties', () => {
    const random = new Random(0, 'scores');
    const scores = Array.from({ length: 1000 }, () =>
      Float64Array.from({ length: 100 }, () => random.integer(50)),
    );
    const { keep, threshold } = allocate(scores, 33_333);
    const least = { kept: Infinity, dropped: -Infinity, count: 0 };
    keep.forEach((module, k) => {
      module.forEach((stays, i) => {
        least.count += stays;
        if (stays) least.kept = Math.min(least.kept, scores[k][i]);
        else least.dropped = Math.max(least.dropped, scores[k][i]);
      });
    });
    expect(least).toEqual({ kept: threshold, dropped: threshold, count: 33_333 });
  });
});
