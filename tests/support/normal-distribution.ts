/** The standard normal distribution function in double precision, by a series for erf that has only positive terms. */
export function normalDistribution(x: number): number {
  // erf(z) = 2/√π · exp(-z²) · Σ 2ⁿ z²ⁿ⁺¹ / (1 · 3 · … · (2n + 1))
  const z = x / Math.SQRT2;
  let term = z;
  let series = z;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(series); n++) {
    term *= (2 * z * z) / (2 * n + 1);
    series += term;
  }
  return 0.5 + (Math.exp(-z * z) * series) / Math.sqrt(Math.PI);
}
