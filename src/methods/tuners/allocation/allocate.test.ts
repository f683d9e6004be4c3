import { describe, expect, it } from 'vitest';
import { Random } from '../../../support/random.ts';
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

  it('keeps the earlier of equal scores', () => {
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

  it('ranks NaN lowest', () => {
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
        if (stays) least.kept = Math.min(least.kept, scores[k]![i]!);
        else least.dropped = Math.max(least.dropped, scores[k]![i]!);
      });
    });
    expect(least).toEqual({ kept: threshold, dropped: threshold, count: 33_333 });
  });

  describe('with costs', () => {
    // A component of the first module costs 2, a component of the second 5.
    const cost = ([a, b]: readonly number[]) => 2 * a! + 5 * b!;
    const scores = [Float64Array.of(9, 6, 1), Float64Array.of(8, 7)];
    const within = (budget: number) => allocate(scores, budget, { cost });

    it('takes the most important in order, and skips those that exceed the rest', () => {
      expect(within(16)).toMatchObject({ count: 5, threshold: 1 });
      expect(within(15)).toMatchObject({ count: 4, threshold: 6 });
      expect(within(12)).toMatchObject({ count: 3, threshold: 7 });
      expect(within(11)).toMatchObject({ count: 4, threshold: 1 });
    });

    it('spends the rest on later, cheaper ones', () => {
      // The first component of each module would cost 2 + 5, which exceeds the budget. So cheaper components are kept.
      expect(within(6).keep.map((module) => [...module])).toEqual([
        [1, 1, 1],
        [0, 0],
      ]);
      expect(within(1)).toMatchObject({ count: 0, threshold: Infinity });
    });

    it('equals top-b if all cost 1', () => {
      const random = new Random(1, 'scores');
      const many = Array.from({ length: 20 }, () =>
        Float64Array.from({ length: 9 }, () => random.integer(30)),
      );
      const sum = (ranks: readonly number[]) => ranks.reduce((a, b) => a + b);
      for (const budget of [0, 1, 77, 179, 180, 500]) {
        expect(allocate(many, budget, { cost: sum })).toEqual(allocate(many, budget));
      }
    });
  });
});

/** Tries each component, the best first, and first those up to the minimum rank. Returns the ranks. */
function oneByOne(
  scores: readonly Float64Array[],
  budget: number,
  cost: (ranks: readonly number[]) => number,
  minRank = 0,
): number[] {
  const order = scores
    .flatMap((module, k) => [...module].map((score) => ({ score, k })))
    .sort((a, b) => b.score - a.score);
  const ranks = scores.map(() => 0);
  const kept = new Set<object>();
  for (const most of [minRank, Infinity])
    for (const component of order) {
      const { k } = component;
      if (kept.has(component) || ranks[k]! >= most) continue;
      ranks[k]!++;
      if (cost(ranks) <= budget) kept.add(component);
      else ranks[k]!--;
    }
  return ranks;
}

it('reserves room for minimum ranks', () => {
  const scores = [Float64Array.of(9, 8, 7), Float64Array.of(1, 0.5, 0.1)];
  const cost = ([a, b]: readonly number[]) => 10 + 5 * a! + 2 * b!;
  // The budget is 23. The fixed part costs 10 and the minimum rank 5 + 2. The remaining 6 pay for one component of 5.
  const { keep } = allocate(scores, 23, { cost, minRank: 1 });
  expect(keep).toEqual([Uint8Array.of(1, 1, 0), Uint8Array.of(1, 0, 0)]);
});

it.each([0, 1])('selects what fits, with few computations of the cost, from minimum rank %d', (minRank) => {
  const random = new Random(1, 'limits');
  const scores = Array.from({ length: 72 }, () => Float64Array.from({ length: 12 }, () => random.uniform()));
  let calls = 0;
  const cost = (ranks: readonly number[]) => {
    calls++;
    return ranks.reduce((sum, rank, k) => sum + rank * (700 + 100 * (k % 5)) + `${rank}`.length, 5000);
  };
  const { keep } = allocate(scores, 400_000, { cost, minRank });
  expect(calls).toBeLessThan(700);
  const ranks = keep.map((module) => module.reduce((sum, kept) => sum + kept, 0));
  expect(ranks).toEqual(oneByOne(scores, 400_000, cost, minRank));
});
