/** Which triplets stay. */
export interface Allocation {
  /** Per module, 1 for each kept triplet and 0 for each dropped one. */
  keep: Uint8Array[];
  /** The least score that was kept; infinite when nothing was. */
  threshold: number;
}

/**
 * Keeps the `budget` triplets of the largest score over all modules: exactly that many, all when there are fewer.
 * Of equal scores the earlier one stays (earlier module, then lower index); NaN is below everything. PEFT keeps what
 * exceeds the k-th smallest score, which is the same set when no two scores are equal.
 */
export function allocate(scores: readonly Float64Array[], budget: number): Allocation {
  const starts: number[] = [];
  let total = 0;
  for (const { length } of scores) {
    starts.push(total);
    total += length;
  }
  const flat = new Float64Array(total);
  scores.forEach((module, k) => {
    for (let i = 0; i < module.length; i++)
      flat[starts[k] + i] = Number.isNaN(module[i]) ? -Infinity : module[i];
  });
  const order = Int32Array.from(flat, (_, i) => i).sort((a, b) =>
    flat[b] > flat[a] ? 1 : flat[b] < flat[a] ? -1 : a - b,
  );
  const kept = new Uint8Array(total);
  for (const i of order.subarray(0, budget)) kept[i] = 1;
  return {
    keep: scores.map((module, k) => kept.slice(starts[k], starts[k] + module.length)),
    threshold: budget > 0 && total > 0 ? flat[order[Math.min(budget, total) - 1]] : Infinity,
  };
}
