import type { ClassCounts } from './class-counts.ts';

/**
 * Matthews correlation for any number of classes (Gorodkin's R_K), as `sklearn.metrics.matthews_corrcoef`. If
 * all predictions or all targets are the same class, the correlation is undefined, and the result is 0.
 */
export function matthewsCorrelation({ rows, predicted, actual, correct }: ClassCounts): number {
  let hits = 0;
  let cross = 0;
  let predictedSquares = 0;
  let actualSquares = 0;
  for (let k = 0; k < actual.length; k++) {
    hits += correct[k]!;
    cross += predicted[k]! * actual[k]!;
    predictedSquares += predicted[k]! ** 2;
    actualSquares += actual[k]! ** 2;
  }
  const spread = (rows ** 2 - predictedSquares) * (rows ** 2 - actualSquares);
  return spread === 0 ? 0 : (hits * rows - cross) / Math.sqrt(spread);
}
