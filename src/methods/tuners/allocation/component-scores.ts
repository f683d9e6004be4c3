import type { PrunedModule } from './pruned-module.ts';

/**
 * The importance of each component of a module. For a triplet, it is equation 11: `S_i = s(λ_i) + mean_j s(P_ji) +
 * mean_j s(Q_ij)`. For a doublet, it is the sum of the two means (table 4). Sums are in 64 bits, because the product of
 * two small averages underflows in 32 bits.
 *
 * @param score returns the score of a scalar by its index
 */
export function componentScores(
  { rank, inFeatures, outFeatures, offsets: { A, E, B } }: PrunedModule,
  score: (index: number) => number,
): Float64Array {
  const scores = new Float64Array(rank);
  for (let i = 0; i < rank; i++) {
    let row = 0;
    for (let j = 0; j < inFeatures; j++) row += score(A + i * inFeatures + j);
    let column = 0;
    for (let j = 0; j < outFeatures; j++) column += score(B + j * rank + i);
    scores[i] = (E === undefined ? 0 : score(E + i)) + row / inFeatures + column / outFeatures;
  }
  return scores;
}

/** The ablation with `|λ|` alone as the score, for triplets only. */
export function magnitudeScores({ rank, offsets: { E } }: PrunedModule, values: Float32Array): Float64Array {
  if (E === undefined) throw new Error('a doublet has no λ');
  return Float64Array.from({ length: rank }, (_, i) => Math.abs(values[E + i]!));
}

/** Scores as decimal logarithms with two digits, the largest first. Null for a score of zero or NaN. */
export function scoreLogarithms(scores: Float64Array): (number | null)[] {
  return [...scores]
    .map((score) => (score > 0 && score < Infinity ? Math.round(100 * Math.log10(score)) / 100 : null))
    .sort((a, b) => (b ?? -Infinity) - (a ?? -Infinity) || 0);
}
