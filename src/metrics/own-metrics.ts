import { type Problem, shown } from '../support/problem.ts';
import { UserError } from '../support/user-error.ts';
import { SCORES } from './scores.ts';

/**
 * A score of the caller's own, of all rows of a set at once. For classes, sets of classes and numbers a prediction is what
 * `predict` gives of a row, and a reference its label (a string, a list of strings, a number); for tags both are the tags of the
 * words of a sentence that the model sees; for questions and sequence to sequence a text, and the texts that are right.
 */
// biome-ignore lint/suspicious/noExplicitAny: the task decides what they are, and the caller says so
export type OwnMetric = (predictions: readonly any[], references: readonly any[]) => number | Promise<number>;

/** Such scores by their names, which are `eval_<name>` in logs. */
export type OwnMetrics = Readonly<Record<string, OwnMetric>>;

/** What an evaluation's event has beside its scores. */
const TAKEN = ['runtime', 'samples_per_second'];

/** What is wrong with the names of one's own scores. */
export function ownMetricProblems(names: readonly string[]): Problem[] {
  return names.flatMap((name): Problem[] => {
    const path = ['metrics', name];
    const hint = 'Choose a name of letters, digits and underscores.';
    if (!/^[a-z]\w*$/i.test(name)) return [{ path, fault: 'is not a valid name', hint }];
    const isTaken = Object.hasOwn(SCORES, name) || TAKEN.includes(name);
    return isTaken ? [{ path, fault: 'is the name of a built-in score', hint: 'Choose another name.' }] : [];
  });
}

/** Gives the scores back. Throws a UserError for a name that is wrong. */
export function assertOwnMetrics(metrics: OwnMetrics): OwnMetrics {
  for (const { path, ...complaint } of ownMetricProblems(Object.keys(metrics)))
    throw new UserError({ key: path.join('.'), ...complaint });
  return metrics;
}

/**
 * Computes one's own scores one after the other.
 *
 * @throws UserError for one that gives no number; what a function throws
 */
export async function computeOwn(
  metrics: OwnMetrics,
  predictions: readonly unknown[],
  references: readonly unknown[],
): Promise<Record<string, number>> {
  const scores: Record<string, number> = {};
  for (const [name, metric] of Object.entries(metrics)) {
    const score: unknown = await metric(predictions, references);
    if (typeof score !== 'number')
      throw new UserError({ key: `metrics.${name}`, fault: `must return a number, got ${shown(score)}` });
    scores[name] = score;
  }
  return scores;
}
