/**
 * The threshold for the no-answer odds with the best mean score, found like `find_best_thresh` of SQuAD v2.0's official
 * script. The search starts with "no answer" for all questions and raises the threshold one question at a time, even if
 * odds are equal.
 *
 * @param scores of predictions by id, without a threshold
 * @param odds by id; equal ones are visited in this order
 * @param answered by id, whether there is an answer
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
