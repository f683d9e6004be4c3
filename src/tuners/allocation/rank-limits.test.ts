import { describe, expect, it } from 'vitest';
import { Random } from '../../support/random.ts';
import { allocate } from './allocate.ts';
import { RankAllocator } from './allocator.ts';
import { budgetAt } from './budget.ts';
import { CURVES } from './curves.ts';
import { checkLimits, type RankLimits, rankLimits } from './rank-limits.ts';

const MODULES = ['layer.0.query', 'layer.0.key', 'layer.1.query', 'layer.1.key'];

/** Tries every allowed list of ranks. Returns the largest sum of scores. Each module keeps its best components. */
function best(scores: Float64Array[], allows: (ranks: number[]) => boolean): number {
  const sorted = scores.map((module) => [...module].sort((a, b) => b - a));
  const sums = sorted.map((module) =>
    Array.from({ length: module.length + 1 }, (_, rank) =>
      module.slice(0, rank).reduce((sum, value) => sum + value, 0),
    ),
  );
  let most = -Infinity;
  const walk = (k: number, ranks: number[], sum: number): void => {
    if (k < sums.length)
      for (let rank = 0; rank < sums[k]!.length; rank++) walk(k + 1, [...ranks, rank], sum + sums[k]![rank]!);
    else if (allows(ranks)) most = Math.max(most, sum);
  };
  walk(0, [], 0);
  return most;
}

/** Tries each component, the best first, first for minimum ranks. Returns the ranks. */
function oneByOne(
  scores: readonly Float64Array[],
  budget: number,
  cost: (ranks: readonly number[]) => number,
  { min, max, groups, quotas }: RankLimits = { min: 0, max: Infinity, groups: Int32Array.of(), quotas: [] },
): number[] {
  const order = scores
    .flatMap((module, k) => [...module].map((score, i) => ({ score, k, i })))
    .sort((a, b) => b.score - a.score);
  const ranks = scores.map(() => 0);
  const nothing = cost(ranks);
  const kept = new Set<object>();
  for (const isFree of [false, true])
    for (const component of order) {
      const { k } = component;
      if (kept.has(component) || ranks[k]! >= (isFree ? max : min)) continue;
      ranks[k]!++;
      const group = groups[k] ?? -1;
      const ofGroup = cost(ranks.map((rank, other) => (groups[other] === group ? rank : 0))) - nothing;
      const isAllowed = !isFree || group < 0 || ofGroup <= quotas[group]! * (budget - nothing);
      if (isAllowed && cost(ranks) <= budget) kept.add(component);
      else ranks[k]!--;
    }
  return ranks;
}

const total = (ranks: number[]) => ranks.reduce((sum, rank) => sum + rank, 0);

describe('limits of ranks', () => {
  it('keep the best that they allow', () => {
    const random = new Random(0, 'limits');
    for (let round = 0; round < 40; round++) {
      const scores = MODULES.map(() => Float64Array.from({ length: 4 }, () => random.uniform()));
      const configs: Parameters<typeof rankLimits>[0][] = [
        { max_rank: 2 },
        { min_rank: 1 },
        { quotas: { query: '25%' } },
        { min_rank: 1, max_rank: 3, quotas: { query: '50%', '.*1.*': '40%' } },
      ];
      const config = configs[round % 4]!;
      const limits = rankLimits(config, MODULES)!;
      const budget = 8;
      const { keep, count } = allocate(scores, budget, undefined, limits);
      const ranks = keep.map((module) => total([...module]));
      const { min_rank: least = 0, max_rank: most = 4 } = config;
      const within = (all: number[]) =>
        total(all) <= budget &&
        all.every((rank) => rank >= least && rank <= most) &&
        limits.quotas.every(
          (quota, group) => total(all.filter((_, k) => limits.groups[k] === group)) <= quota * budget,
        );
      expect(within(ranks)).toBe(true);
      expect(count).toBe(total(ranks));
      const kept = keep.reduce(
        (sum, module, k) => sum + scores[k]!.reduce((s, v, i) => s + v * module[i]!, 0),
        0,
      );
      expect(kept).toBeCloseTo(best(scores, within), 12);
    }
  });

  it('apply to costs too, and reserve room for minimum ranks', () => {
    const scores = [Float64Array.of(9, 8, 7), Float64Array.of(1, 0.5, 0.1)];
    const cost = ([a, b]: readonly number[]) => 10 + 5 * a! + 2 * b!;
    const limits = rankLimits({ min_rank: 1 }, ['a', 'b']);
    // Of a budget of 23, the fixed part costs 10 and the minimum rank 2. The remaining 11 pay for two components of 5.
    // The remaining 1 does not pay for a component of 2.
    expect(allocate(scores, 23, cost, limits).keep).toEqual([Uint8Array.of(1, 1, 0), Uint8Array.of(1, 0, 0)]);
    expect(rankLimits({}, MODULES)).toBeUndefined();
  });

  it('select what fits, one after the other, with few computations of the cost', () => {
    const random = new Random(1, 'limits');
    const paths = Array.from({ length: 72 }, (_, i) => `layer.${Math.floor(i / 6)}.module_${i % 6}`);
    const quotas = { module_0: '10%', 'module_[12]': '30%', 'layer.1.*': '5%' };
    for (const config of [{ quotas }, { quotas, min_rank: 1, max_rank: 7 }, { max_rank: 3 }, {}]) {
      const scores = paths.map(() => Float64Array.from({ length: 12 }, () => random.uniform()));
      const weights = paths.map((_, i) => 700 + 100 * (i % 5));
      let calls = 0;
      const cost = (ranks: readonly number[]) => {
        calls++;
        return ranks.reduce((sum, rank, k) => sum + rank * weights[k]! + `${rank}`.length, 5000);
      };
      const limits = rankLimits(config, paths);
      const { keep } = allocate(scores, 400_000, cost, limits);
      expect(calls).toBeLessThan(700);
      expect(keep.map((module) => total([...module]))).toEqual(oneByOne(scores, 400_000, cost, limits));
    }
  });

  it.each([
    [{ quotas: { qeury: '10%' } }, 'adalora.quotas has "qeury", which is not an adapted module'],
    [{ min_rank: 3, max_rank: 2 }, 'adalora.min_rank must be at most max_rank (2), got 3'],
    [{ min_rank: 3 }, 'adalora.min_rank 3 in each of 4 modules exceeds the budget'],
  ])('are rejected if they cannot be met: %j', (config, message) => {
    expect(() => checkLimits(config, MODULES, 'adalora', (ranks) => total([...ranks]) <= 8)).toThrow(message);
  });
});

describe('a schedule', () => {
  const settings = { tinit: 10, tfinal: 20, deltaT: 1, totalStep: 110, initialBudget: 96, targetBudget: 24 };

  it.each(CURVES)('%s begins and ends like the others, and never rises', (curve) => {
    const budgets = Array.from({ length: 110 }, (_, i) => budgetAt(i + 1, { ...settings, curve }));
    expect([budgets[9], budgets[89], budgets[109]]).toEqual([96, 24, 24]);
    budgets.forEach((budget, i) => expect(budget).toBeLessThanOrEqual(budgets[i - 1] ?? 96));
  });

  it('has its shape in the middle', () => {
    const half = (curve: (typeof CURVES)[number]) => budgetAt(50, { ...settings, curve });
    expect(CURVES.map(half)).toEqual([33, 60, 48, 60, 96]);
  });

  it('may be a function of the step, clamped to the budgets', () => {
    const at = (step: number, curve: (step: number) => number) => budgetAt(step, { ...settings, curve });
    expect([at(50, (step) => step + 0.9), at(50, () => 1e9), at(50, () => -1), at(95, () => 50)]).toEqual([
      50, 96, 0, 24,
    ]);
  });
});

it('a score may be a function of the importance of each number', () => {
  const modules = [{ name: 'a', rank: 2, inFeatures: 1, outFeatures: 1, offsets: { A: 0, E: 2, B: 4 } }];
  const config = { beta1: 0.5, beta2: 0.5, shrink: 'at-export' } as const;
  const schedule = { tinit: 0, tfinal: 1, deltaT: 1, totalStep: 3 };
  const keptBy = (score: ConstructorParameters<typeof RankAllocator>[1]['score']) => {
    const allocator = new RankAllocator(modules, { ...config, score }, schedule, { target: 1 });
    const values = Float32Array.of(1, 2, 3, 1, 1, 1);
    allocator.observe(1, values, Float32Array.of(1, 1, 1, 5, 1, 1));
    allocator.allocate(2, values);
    return [...allocator.keep()[0]!];
  };
  // Gradients prefer the second triplet, |λ| alone the first.
  expect(keptBy('sensitivity-uncertainty')).toEqual([0, 1]);
  expect(keptBy(({ sensitivity, uncertainty }) => sensitivity * uncertainty)).toEqual([0, 1]);
  expect(keptBy(({ value }) => value * value)).toEqual([1, 0]);
});
