import { computeOwn, type OwnMetrics } from '../metrics/own-metrics.ts';
import type { Evaluation, Scores } from './example-set.ts';

/** Computes the scores of the caller's own, wherever the functions are: by their names, of all rows of a set. */
export type OwnScores = (
  predictions: readonly unknown[],
  references: readonly unknown[],
) => Promise<Readonly<Record<string, number>>>;

/** Computes scores of the caller's own in this thread; undefined where there are none. */
export function ownScoresOf(metrics: OwnMetrics = {}): OwnScores | undefined {
  return Object.keys(metrics).length === 0 ? undefined : (...answers) => computeOwn(metrics, ...answers);
}

/** The same evaluation with scores of one's own behind those of the task. */
export function withOwnScores(evaluation: Evaluation, own: OwnScores | undefined): Evaluation {
  if (!own) return evaluation;
  return {
    ...evaluation,
    async run(program, values, watch) {
      let answers: Parameters<OwnScores> | undefined;
      const scores: Scores = await evaluation.run(program, values, {
        ...watch,
        onAnswers(...told) {
          answers = told;
        },
      });
      if (!answers) throw new Error('an evaluation that tells no answers');
      for (const [name, score] of Object.entries(await own(...answers))) scores[`eval_${name}`] = score;
      return scores;
    },
  };
}
