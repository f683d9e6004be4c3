/** The triplets that a module loses, and the number that it gains. */
export interface Moves {
  removed: number[];
  added: number;
}

/**
 * Chooses the triplets that move (Chang et al., 2025, arXiv 2504.00254, algorithm 1). Each module offers the triplets
 * with its `k` lowest scores, but keeps at least one. The `b` lowest offers are removed. For each of the `b` highest
 * offers, the offering module gains a triplet.
 *
 * @param scores the scores of each module's triplets
 */
export function chooseMoves(scores: readonly Float64Array[], k: number, b: number): Moves[] {
  const offered = scores.flatMap((own, module) =>
    [...own.keys()]
      .sort((i, j) => own[i]! - own[j]!)
      .slice(0, Math.min(k, own.length - 1))
      .map((triplet) => ({ module, triplet, score: own[triplet]! })),
  );
  const ascending = offered.toSorted((x, y) => x.score - y.score);
  const moves = scores.map((): Moves => ({ removed: [], added: 0 }));
  for (const { module, triplet } of ascending.slice(0, b)) moves[module]!.removed.push(triplet);
  for (const { module } of ascending.slice(-Math.min(b, ascending.length))) moves[module]!.added++;
  return moves;
}
