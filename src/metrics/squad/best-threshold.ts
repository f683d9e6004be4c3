/**
 * Finds the threshold on the no-answer odds that gives the best mean score, like `find_best_thresh` of SQuAD
 * v2.0's official script. The search starts with "no answer" for all questions. Then it raises the threshold
 * one question at a time, even if odds are equal.
 *
 * @param scores scores of the predictions by id, without a threshold
 * @param odds odds by id; the search visits equal odds in this order
 * @param answered whether a question has an answer, by id
 */
export function bestThreshold(
  predictions: ReadonlyMap<string, string>,
  scores: ReadonlyMap<string, number>,
  odds: ReadonlyMap<string, number>,
  answered: ReadonlyMap<string, boolean>,
): { score: number; threshold: number } {
  let current = [...answered.values()].filter((has) => !has).length;
  let [best, threshold] = [current, 0];
  for (const [id, value] of [...odds].sort(([, a], [, b]) => a - b)) {
    const score = scores.get(id);
    if (score === undefined) continue;
    if (answered.get(id)) current += score;
    else if (predictions.get(id) !== '') current -= 1;
    if (current > best) [best, threshold] = [current, value];
  }
  return { score: best / scores.size, threshold };
}
