/** Scores as decimal logarithms with two digits, the largest first. Null for a score of zero or NaN. */
export function scoreLogarithms(scores: Float64Array): (number | null)[] {
  return [...scores]
    .map((score) => (score > 0 && score < Infinity ? Math.round(100 * Math.log10(score)) / 100 : null))
    .sort((a, b) => (b ?? -Infinity) - (a ?? -Infinity) || 0);
}
