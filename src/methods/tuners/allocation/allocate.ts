/** Returns the cost of keeping these numbers of components per module. It increases with each component. */
export type Cost = (ranks: readonly number[]) => number;

/** The limits of an allocation. */
export interface Limits {
  /** The cost of ranks, in the unit of the budget. Default: their sum. */
  cost?: Cost;
  /** Minimum rank of every module, which the budget must pay for. */
  minRank?: number;
}

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
 * still fit.
 *
 * If scores are equal, the earlier component is kept (earlier module, then lower index). NaN ranks below
 * everything. PEFT keeps the scores above the k-th smallest. The result is the same if no two scores are equal.
 */
export function allocate(scores: readonly Float64Array[], budget: number, limits: Limits = {}): Allocation {
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
  const chosen =
    limits.cost || limits.minRank
      ? affordable({ order, modules, moduleCount: scores.length }, budget, limits)
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
 * Selects components in order. It takes the best of each module up to the minimum rank, then the others.
 *
 * @param modules the module of each component
 */
function affordable(
  { order, modules, moduleCount }: { order: Int32Array; modules: Int32Array; moduleCount: number },
  budget: number,
  { cost = (ranks) => ranks.reduce((sum, rank) => sum + rank, 0), minRank = 0 }: Limits,
): number[] {
  const ranks = new Array<number>(moduleCount).fill(0);
  const fits = () => cost(ranks) <= budget;
  const counts = [...ranks];
  const first = [...order].filter((i) => ++counts[modules[i]!]! <= minRank);
  const least = new Set(choose(first, modules, ranks, fits));
  const others = [...order].filter((i) => !least.has(i));
  const chosen = new Set([...least, ...choose(others, modules, ranks, fits)]);
  // `order` is sorted, the best first.
  return [...order].filter((i) => chosen.has(i));
}

/**
 * Selects components in order. Each must fit together with those before it. Costs only increase: if components fit
 * together, each fits, and after one component of a module does not fit, no later one does. So components are tried in
 * runs, whose length doubles when they fit and halves when they do not.
 *
 * @param ranks the number of selected components of each module, which grows
 * @param fit whether the budget pays for `ranks`
 */
function choose(
  components: readonly number[],
  modules: Int32Array,
  ranks: number[],
  fit: () => boolean,
): number[] {
  const chosen: number[] = [];
  const full = new Set<number>();
  let length = components.length;
  for (let at = 0; at < components.length; ) {
    const run = components.slice(at, at + length).filter((i) => !full.has(modules[i]!));
    for (const i of run) ranks[modules[i]!]!++;
    if (run.length === 0 || fit()) {
      for (const i of run) chosen.push(i);
      at += length;
      length *= 2;
      continue;
    }
    for (const i of run) ranks[modules[i]!]!--;
    if (run.length > 1) length = Math.ceil(length / 2);
    else {
      full.add(modules[run[0]!]!);
      at += length;
    }
  }
  return chosen;
}
