/** A module and its leader. They share components, because both read the same rows. */
export interface SharedModule {
  path: string;
  leader: string;
}

/**
 * Distributes a budget of ranks over modules. Each of the directions with the largest shares of explained variance gets
 * one rank. Among modules with equal inputs, the first gets the most.
 *
 * @param modules leaders first
 * @param explained shares of each leader, largest first
 */
export function rankDistribution(
  modules: readonly SharedModule[],
  explained: ReadonlyMap<string, readonly number[]>,
  budget: number,
): Map<string, number> {
  const shares = modules.flatMap(({ path, leader }) =>
    (explained.get(leader) ?? []).map((share) => ({ path, share })),
  );
  const counts = new Map(modules.map(({ path }) => [path, 0]));
  // Equal shares keep their order, because the sort is stable.
  for (const { path } of shares.sort((a, b) => b.share - a.share).slice(0, budget))
    counts.set(path, counts.get(path)! + 1);
  for (const { path, leader } of modules) {
    const [own, first] = [counts.get(path)!, counts.get(leader)!];
    if (first >= own) continue;
    counts.set(leader, own).set(path, first);
  }
  return counts;
}
