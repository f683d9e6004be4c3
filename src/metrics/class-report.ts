/** What is to be said of a class: shares of what was taken for it and of what it is, and the rows it has. */
export interface ClassScores {
  precision: number;
  recall: number;
  f1: number;
  support: number;
}

/** Scores of each class by itself from a confusion matrix, as `sklearn.metrics.classification_report`; 0 where nothing is to be divided. */
export function classReport(counts: readonly (readonly number[])[]): ClassScores[] {
  return counts.map((row, id) => {
    const support = row.reduce((sum, count) => sum + count, 0);
    const predicted = counts.reduce((sum, other) => sum + other[id], 0);
    const hits = row[id];
    return {
      precision: predicted === 0 ? 0 : hits / predicted,
      recall: support === 0 ? 0 : hits / support,
      f1: predicted + support === 0 ? 0 : (2 * hits) / (predicted + support),
      support,
    };
  });
}
