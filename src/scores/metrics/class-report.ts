/** Precision and recall of a class, and its number of rows. */
export interface ClassScores {
  precision: number;
  recall: number;
  f1: number;
  support: number;
}

/**
 * Scores of each class from a confusion matrix, as `sklearn.metrics.classification_report`. A score is 0 if
 * its denominator is 0.
 */
export function classReport(counts: readonly (readonly number[])[]): ClassScores[] {
  return counts.map((row, id) => {
    const support = row.reduce((sum, count) => sum + count, 0);
    const predicted = counts.reduce((sum, other) => sum + other[id]!, 0);
    const hits = row[id]!;
    return {
      precision: predicted === 0 ? 0 : hits / predicted,
      recall: support === 0 ? 0 : hits / support,
      f1: predicted + support === 0 ? 0 : (2 * hits) / (predicted + support),
      support,
    };
  });
}
