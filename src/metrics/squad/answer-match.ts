/** How well a predicted answer matches a reference answer. */
export interface AnswerMatch {
  /** 1 if both have the same words in the same order, otherwise 0. */
  exact: number;
  /** Harmonic mean of precision and recall over words. A repeated word counts as often as it occurs. */
  f1: number;
}

/**
 * Compares the words of a predicted answer with those of a reference answer (see `answerWords`).
 *
 * @param f1OfNothing F1 if both have no words: 1 in the script of v2.0, 0 in the script of v1.1
 */
export function answerMatch(
  predicted: readonly string[],
  actual: readonly string[],
  f1OfNothing: number,
): AnswerMatch {
  const isSame = predicted.length === actual.length && predicted.every((word, i) => word === actual[i]);
  const exact = Number(isSame);
  if (predicted.length === 0 && actual.length === 0) return { exact, f1: f1OfNothing };
  const left = new Map<string, number>();
  for (const word of actual) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of predicted) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    common++;
  }
  if (common === 0) return { exact, f1: 0 };
  const precision = common / predicted.length;
  const recall = common / actual.length;
  return { exact, f1: (2 * precision * recall) / (precision + recall) };
}
