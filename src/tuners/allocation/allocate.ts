import type { RankLimits } from './rank-limits.ts';

/** Returns the cost of keeping these numbers of components per module. It increases with each component. */
export type Cost = (ranks: readonly number[]) => number;

/** The components to keep. */
export interface Allocation {
  /** For each module, 1 for every kept component and 0 for every dropped one. */
  keep: Uint8Array[];
  /** The number of kept components. */
  count: number;
  /** The lowest kept score. Infinite if nothing was kept. */
  threshold: number;
}

/**
 * Keeps the components with the largest scores over all modules: exactly `budget` of them, or all if there are fewer.
 * With a `cost`, it spends at most `budget`. It skips a component that does not fit, because a cheaper component may
 * still fit. `limits` adds minimum and maximum ranks and quotas.
 *
 * If scores are equal, the earlier component is kept (earlier module, then lower index). NaN ranks below
 * everything. PEFT keeps the scores above the k-th smallest. The result is the same if no two scores are equal.
 */
export function allocate(
  scores: readonly Float64Array[],
  budget: number,
  cost?: Cost,
  limits?: RankLimits,
): Allocation {
  const starts: number[] = [];
  let total = 0;
  for (const { length } of scores) {
    starts.push(total);
    total += length;
  }
  const flat = new Float64Array(total);
  const modules = new Int32Array(total);
  scores.forEach((module, k) => {
    modules.fill(k, starts[k], starts[k]! + module.length);
    for (let i = 0; i < module.length; i++)
      flat[starts[k]! + i] = Number.isNaN(module[i]) ? -Infinity : module[i]!;
  });
  const order = Int32Array.from(flat, (_, i) => i).sort((a, b) =>
    flat[b]! > flat[a]! ? 1 : flat[b]! < flat[a]! ? -1 : a - b,
  );
  const chosen = limits
    ? limited({ order, modules, moduleCount: scores.length }, { budget, cost, limits })
    : cost
      ? affordable(order, modules, scores.length, budget, cost)
      : order.subarray(0, budget);
  const kept = new Uint8Array(total);
  for (const i of chosen) kept[i] = 1;
  const last = chosen.at(-1);
  return {
    keep: scores.map((module, k) => kept.slice(starts[k], starts[k]! + module.length)),
    count: chosen.length,
    threshold: last === undefined ? Infinity : flat[last]!,
  };
}

/**
 * Selects components in order within limits. It takes the best of each module up to its minimum rank, then the others.
 * Quotas are shares of the budget, in components or in the unit of the cost.
 */
function limited(
  { order, modules, moduleCount }: { order: Int32Array; modules: Int32Array; moduleCount: number },
  {
    budget,
    cost,
    limits: { min, max, groups, quotas },
  }: { budget: number; cost: Cost | undefined; limits: RankLimits },
): number[] {
  const spent: Cost = cost ?? ((ranks) => ranks.reduce((sum, rank) => sum + rank, 0));
  // A cost may have a fixed part, such as a file's header, that is spent even without components.
  const nothing = spent(new Array<number>(moduleCount).fill(0));
  const ranks = new Array<number>(moduleCount).fill(0);
  const chosen = new Set<number>();
  const spentBy = (group: number) =>
    spent(ranks.map((rank, k) => (groups[k] === group ? rank : 0))) - nothing;
  const chooseIfAllowed = (i: number, isFree: boolean) => {
    const module = modules[i]!;
    if (chosen.has(i) || (isFree ? ranks[module]! >= max : ranks[module]! >= min)) return;
    ranks[module]!++;
    const group = groups[module]!;
    const isWithin =
      spent(ranks) <= budget &&
      (!isFree || group < 0 || spentBy(group) <= quotas[group]! * (budget - nothing));
    if (isWithin) chosen.add(i);
    else ranks[module]!--;
  };
  for (const isFree of [false, true]) for (const i of order) chooseIfAllowed(i, isFree);
  // `order` is sorted, the best first.
  return [...order].filter((i) => chosen.has(i));
}

/** Selects components in order. Each must fit together with those selected before it. */
function affordable(
  order: Int32Array,
  modules: Int32Array,
  moduleCount: number,
  budget: number,
  cost: Cost,
): number[] {
  const ranksOfFirst = (count: number) => {
    const ranks = new Array<number>(moduleCount).fill(0);
    for (const i of order.subarray(0, count)) ranks[modules[i]!]!++;
    return ranks;
  };
  const first = largest(order.length, (count) => cost(ranksOfFirst(count)) <= budget);
  const ranks = ranksOfFirst(first);
  const chosen = [...order.subarray(0, first)];
  // Costs only increase: after one component of a module does not fit, no later component of that module fits.
  const full = new Set<number>();
  for (const i of order.subarray(first)) {
    const module = modules[i]!;
    if (full.has(module)) continue;
    ranks[module]!++;
    if (cost(ranks) <= budget) chosen.push(i);
    else {
      ranks[module]!--;
      full.add(module);
    }
  }
  return chosen;
}

/**
 * Finds the largest integer up to `most` that fits, or 0 if no integer fits. If an integer fits, all smaller ones must
 * fit.
 */
function largest(most: number, fits: (count: number) => boolean): number {
  let [low, high] = [0, most];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
