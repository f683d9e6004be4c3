import { largest } from '../../../support/numbers.ts';
import { type AnsweredQuestion, answerMatch, splitAnswer } from './squad-scores.ts';

/** Scores of SQuAD v2.0 from 0 to 1, named as in the official script: `exact`, `f1`, `total`, `HasAns_exact` etc. */
export type SquadV2Scores = Record<'exact' | 'f1' | 'total', number> & Record<string, number>;

/** A model's odds that questions have no answer. */
export interface NullOdds {
  /** Odds by question id. */
  odds: ReadonlyMap<string, number>;
  /** Odds above this value mean no answer, whatever was predicted (the script's `--na-prob-thresh`; default: 1). */
  threshold?: number;
}

const DEFAULT_THRESHOLD = 1;

/**
 * Scores predicted answers like SQuAD v2.0's official script (evaluate-v2.0.py), but as fractions instead of
 * percent. An empty prediction means no answer. With odds, it also returns the best scores over all
 * thresholds, and these thresholds. If several questions have the same id, the last one counts.
 *
 * @param predictions an answer for every question; the script fails if one is missing
 * @param nullOdds odds for every question
 */
export function squadV2Scores(
  questions: readonly AnsweredQuestion[],
  predictions: ReadonlyMap<string, string>,
  nullOdds?: NullOdds,
): SquadV2Scores {
  const answered = new Map(questions.map(({ id, answers }) => [id, answers.length > 0]));
  const exact = new Map<string, number>();
  const f1 = new Map<string, number>();
  for (const { id, answers } of questions) {
    const match = bestMatch(predictions.get(id)!, answers);
    exact.set(id, match.exact);
    f1.set(id, match.f1);
  }
  const ids = [...answered.keys()];
  const isNull = (id: string) =>
    nullOdds !== undefined && nullOdds.odds.get(id)! > (nullOdds.threshold ?? DEFAULT_THRESHOLD);
  const mean = (raw: ReadonlyMap<string, number>, ids: readonly string[]) =>
    ids.reduce((sum, id) => sum + (isNull(id) ? Number(!answered.get(id)) : raw.get(id)!), 0) / ids.length;
  const scores: SquadV2Scores = { exact: mean(exact, ids), f1: mean(f1, ids), total: ids.length };
  for (const [prefix, has] of [['HasAns', true] as const, ['NoAns', false] as const]) {
    const some = ids.filter((id) => answered.get(id) === has);
    if (some.length === 0) continue;
    scores[`${prefix}_exact`] = mean(exact, some);
    scores[`${prefix}_f1`] = mean(f1, some);
    scores[`${prefix}_total`] = some.length;
  }
  if (!nullOdds) return scores;
  for (const [name, raw] of Object.entries({ exact, f1 })) {
    const best = bestThreshold(predictions, raw, nullOdds.odds, answered);
    scores[`best_${name}`] = best.score;
    scores[`best_${name}_thresh`] = best.threshold;
  }
  return scores;
}

/**
 * Reference answers that normalize to the empty string are dropped. If all are dropped, only an empty
 * prediction is right.
 */
function bestMatch(prediction: string, answers: readonly string[]) {
  const words = splitAnswer(prediction);
  const actual = answers.map(splitAnswer).filter((answer) => answer.length > 0);
  const matches = (actual.length > 0 ? actual : [[]]).map((answer) => answerMatch(words, answer, 1));
  return {
    exact: largest(matches.map((match) => match.exact)),
    f1: largest(matches.map((match) => match.f1)),
  };
}

/**
 * Finds the threshold on the no-answer odds that gives the best mean score, like `find_best_thresh` of SQuAD
 * v2.0's official script. The search starts with "no answer" for all questions. Then it raises the threshold
 * one question at a time, even if odds are equal.
 *
 * @param scores scores of the predictions by id, without a threshold
 * @param odds odds by id; the search visits equal odds in this order
 * @param answered whether a question has an answer, by id
 */
function bestThreshold(
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
