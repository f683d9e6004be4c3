import { computeOwn, type OwnMetrics } from '../scores/metrics/own-metrics.ts';
import type { Evaluation, Scores } from './example-set.ts';

/** Custom scores, computed in this thread or another. */
export interface OwnScores {
  readonly names: readonly string[];
  /** Returns the scores of all rows of a set, by name. */
  compute(
    predictions: readonly unknown[],
    references: readonly unknown[],
  ): Promise<Readonly<Record<string, number>>>;
}

/** Returns custom scores that are computed in this thread. Undefined if there are none. */
export function readOwnScores(metrics: OwnMetrics = {}): OwnScores | undefined {
  const names = Object.keys(metrics);
  if (names.length === 0) return undefined;
  return { names, compute: (...answers) => computeOwn(metrics, ...answers) };
}

/** Adds custom scores to an evaluation, after those of the task. */
export function withOwnScores(evaluation: Evaluation, ownScores: OwnScores | undefined): Evaluation {
  if (!ownScores) return evaluation;
  return {
    ...evaluation,
    async run(program, values, watch) {
      let answers: Parameters<OwnScores['compute']> | undefined;
      const scores: Scores = await evaluation.run(program, values, {
        ...watch,
        onAnswers(...told) {
          answers = told;
        },
      });
      if (!answers) throw new Error('an evaluation that tells no answers');
      for (const [name, score] of Object.entries(await ownScores.compute(...answers)))
        scores[`eval_${name}`] = score;
      return scores;
    },
  };
}
