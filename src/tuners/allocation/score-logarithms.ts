/** Scores as decimal logarithms to two digits, the greatest first; null for a score of zero or none. */
export function scoreLogarithms(scores: Float64Array): (number | null)[] {
  return [...scores]
    .map((score) => (score > 0 && score < Infinity ? Math.round(100 * Math.log10(score)) / 100 : null))
    .sort((a, b) => (b ?? -Infinity) - (a ?? -Infinity) || 0);
}
