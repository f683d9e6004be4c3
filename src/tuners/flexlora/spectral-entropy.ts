/** Keeps the logarithm finite, as in the released code. */
const EPSILON = 1e-8;

/**
 * The entropy of a matrix's spectrum, from 0 (one strong triplet) to 1 (all equal). It is the entropy of the shares λ²
 * / Σ λ², divided by log r. For a single triplet, and if all λ are 0, it is undefined. Then the result is infinite, so
 * that the matrix can only grow.
 */
export function spectralEntropy(lambdas: ArrayLike<number>): number {
  const squares = Array.from(lambdas, (value) => value * value);
  const sum = squares.reduce((a, b) => a + b, 0);
  if (squares.length < 2 || !(sum > 0)) return Number.POSITIVE_INFINITY;
  const entropy = squares.reduce(
    (total, square) => total - (square / sum) * Math.log(square / sum + EPSILON),
    0,
  );
  return entropy / Math.log(squares.length);
}
