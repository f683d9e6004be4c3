import { type Problem, shown, UserError } from '../../support/user-error.ts';
import { SCORES } from './scores.ts';

/**
 * A custom score, computed from all rows of a set at once. Predictions and references depend on the task:
 *
 * - Classes, sets of classes and numbers: a prediction is the result of `predict` for a row. A reference is
 * its label (a string, a list of strings, or a number).
 * - Tags: both are lists with one tag for each word of a sentence that the model sees.
 * - Questions and sequence to sequence: a prediction is a text, and a reference is the list of right texts.
 */
// biome-ignore lint/suspicious/noExplicitAny: the task decides what they are, and the caller says so
export type OwnMetric = (predictions: readonly any[], references: readonly any[]) => number | Promise<number>;

/** Custom scores by name. Logs show them as `eval_<name>`. */
export type OwnMetrics = Readonly<Record<string, OwnMetric>>;

/** Keys of an evaluation event, which custom scores must not use. */
const TAKEN = ['runtime', 'samples_per_second'];

export function ownMetricProblems(names: readonly string[]): Problem[] {
  return names.flatMap((name): Problem[] => {
    const path = ['metrics', name];
    const hint = 'Choose a name of letters, digits and underscores.';
    if (!/^[a-z]\w*$/i.test(name)) return [{ path, fault: 'is not a valid name', hint }];
    const isTaken = Object.hasOwn(SCORES, name) || TAKEN.includes(name);
    return isTaken ? [{ path, fault: 'is the name of a built-in score', hint: 'Choose another name.' }] : [];
  });
}

/** Returns the scores unchanged. Throws a UserError for any other value than a function. */
export function assertMetricFunctions(metrics: OwnMetrics): OwnMetrics {
  for (const [name, metric] of Object.entries(metrics))
    if (typeof metric !== 'function')
      throw new UserError({ key: `metrics.${name}`, expected: 'a function', got: shown(metric) });
  return metrics;
}

/** Like {@link assertMetricFunctions}. Throws a UserError for an invalid name, too. */
export function assertOwnMetrics(metrics: OwnMetrics): OwnMetrics {
  for (const { path, ...complaint } of ownMetricProblems(Object.keys(metrics)))
    throw new UserError({ key: path.join('.'), ...complaint });
  return assertMetricFunctions(metrics);
}

/**
 * Computes custom scores one after another.
 *
 * @throws UserError if a function does not return a number
 * @throws any error of the functions
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
