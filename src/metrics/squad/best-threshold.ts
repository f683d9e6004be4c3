/**
 * The threshold for the odds of no answer that gives the best mean score, as `find_best_thresh` of the official script of
 * SQuAD v2.0 searches it: from no answer to all questions upwards; of equal odds each is a step of its own.
 *
 * @param scores of predictions by id, as they are without a threshold
 * @param odds by id, in the order in which equal ones are gone through
 * @param answered by id whether there is an answer
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
